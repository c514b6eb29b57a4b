import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { redactFatalErrors } from '../../src/functions/redact-fatal-errors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fatal-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `code` in a process that this ends. Returns the status and the printed text. */
function printedBy(code: string, before = ''): { status: number | null; printed: string } {
  const file = join(folder, 'fatal.mjs');
  const module = resolve('src/functions/redact-fatal-errors.ts');
  writeFileSync(
    file,
    `import { redactFatalErrors } from ${JSON.stringify(module)};\n${before}\nredactFatalErrors(process);\n${code}\n`,
  );
  const loader = resolve('test/local/run-typescript.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', loader, file], { encoding: 'utf8' });
  return { status, printed: stdout + stderr };
}

const SECRET = "const secret = ['Mueller', 'phi'].join('');";

describe('an error that ends the process', () => {
  it.each([
    { given: 'a promise that nobody awaits', code: 'void Promise.reject(new Error(secret));' },
    { given: 'a rejection with a text', code: 'void Promise.reject(secret);' },
    { given: 'a rejection with an object', code: 'void Promise.reject({ name: secret });' },
    { given: 'an error in a timer', code: 'setTimeout(() => { throw new TypeError(secret); }, 1);' },
    {
      given: 'properties, a cause and a class of its own',
      code: `class Own extends Error { name = secret; family = secret; }
        void Promise.reject(new Own('at ' + secret + ' (a.js:1:1)\\n    at ' + secret + ' (b.js:1:1)', { cause: new Error(secret) }));`,
    },
    { given: 'several errors in one', code: 'void Promise.reject(new AggregateError([new Error(secret)], secret));' },
  ])('given $given, prints where it comes from, and nothing of what it says', ({ code }) => {
    const { status, printed } = printedBy(`${SECRET}\n${code}`);

    expect(status).toBe(1);
    expect(printed).not.toContain('Muellerphi');
    expect(printed).toContain('its message is not shown, since it can hold patient data');
  });

  it('given an error, keeps its name and the lines of code', () => {
    const { printed } = printedBy(`${SECRET}\nsetTimeout(function inTimer() { throw new TypeError(secret); }, 1);`);

    expect(printed).toMatch(/TypeError: its message is not shown/);
    expect(printed).toMatch(/at .*inTimer .*fatal\.mjs:\d+:\d+/);
  });

  it('given a host that handles rejections itself, changes the error before the host sees it', () => {
    const host = "process.on('unhandledRejection', (error) => { console.error('host:', error); process.exit(3); });";

    const { status, printed } = printedBy(`${SECRET}\nvoid Promise.reject(new Error(secret));`, host);

    expect(status).toBe(3);
    expect(printed).toContain('host: Error: its message is not shown');
    expect(printed).not.toContain('Muellerphi');
  });

  it('given no handler of rejections, adds none: a process with a lost rejection still ends', () => {
    const added: string[] = [];
    const on = (event: string) => added.push(event);

    redactFatalErrors({ on, prependListener: on, listenerCount: () => 0 });

    expect(added).toEqual(['uncaughtExceptionMonitor']);
  });
});
