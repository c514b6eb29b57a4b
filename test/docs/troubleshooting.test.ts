import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const pages = ['docs/troubleshooting.md', 'docs/operations.md'].map((page) => readFileSync(page, 'utf8')).join('\n');
const page = readFileSync('docs/troubleshooting.md', 'utf8');
const source = sourceIn('src');
const everything = `${source}${readFileSync('src/local/setup.mjs', 'utf8')}`;
/** The first two arguments of a call of `log`. The level is a string or a choice of strings. */
const LOG = /\.log\(\s*([^,()]*['"](?:error|warn)['"][^,()]*),\s*([^,]*),/g;
/** The codes of warnings and errors. Includes some of level `info`, where the code chooses level and code together. */
const codes = new Set(
  [...source.matchAll(LOG)].flatMap(([, , what = '']) =>
    [...what.matchAll(/'([\w-]+)'/g)].map(([, code = '']) => code),
  ),
);

describe('when a reader looks up a line of the log', () => {
  it('given the source, then the pattern of this test finds the codes of warnings and errors', () => {
    expect([...codes]).toEqual(
      expect.arrayContaining(['event-invalid', 'job-retries', 'circuit-opened', 'task-failed']),
    );
    expect(codes.size).toBeGreaterThan(18);
  });

  it.each([...codes].filter((code) => code !== 'job-waits'))('given the code %s, then a page explains it', (code) => {
    expect(pages.includes(`\`${code}\``)).toBe(true);
  });

  it('given a call of log whose level is a variable, then its code is `workflow`, which the pages explain', () => {
    const calls = [...source.matchAll(/telemetry\.log\(\s*([a-z]\w*),\s*([^,]*),/g)].map(([, , what]) => what);

    expect(calls).toEqual(["'workflow'"]);
    expect(pages).toContain('| `workflow` |');
  });

  it('given a code on the page, then the source has it', () => {
    const [, section = ''] = /^## A line in the log\n([\s\S]*?)^## /m.exec(pages) ?? [];
    const listed = [...section.matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w-]+)`/g)].map(([, code = '']) => code),
    );

    expect(listed.length).toBeGreaterThan(18);
    expect(listed.filter((code) => code !== 'what' && !source.includes(`'${code}'`))).toEqual([]);
  });
});

describe('when a reader looks up a message', () => {
  const [, section = ''] = /^## A command stops\n([\s\S]*?)^## /m.exec(page) ?? [];
  const cells = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
  const messages = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));

  it('given the page, then it has more than five messages', () => {
    expect(messages.length).toBeGreaterThan(5);
  });

  it.each(messages)('given the message `%s`, then the source has the same words', (message) => {
    const words = message.split('…').map((part) => part.trim());

    for (const part of words.filter(({ length }) => length > 5)) {
      expect({ part, isInSource: everything.includes(part) }).toEqual({ part, isInSource: true });
    }
  });
});

function sourceIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}
