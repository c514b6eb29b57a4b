import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useAppFolder } from './app-folder.js';
import { keeperPid } from './keeper.js';
import { takePort } from './taken-port.js';
import type { TestProcess } from './test-process.js';

const EVENT = expect.stringMatching(/^event [0-9a-f-]{36}$/);
const BOTH_COMPLETED = [
  expect.stringMatching(/^patient-registry completed \(\d tr/),
  expect.stringMatching(/^resource-index completed \(\d tr/),
  EVENT,
];

const folder = useAppFolder();

describe('when npm start runs', () => {
  it('given a fresh clone, then it runs the demonstration, serves, and ends with all that it has started', async () => {
    const app = start(['--port', '0']);
    await app.printed('Ctrl-C ends it.');

    expect(stepsIn(app.output())).toEqual([
      ['create a Patient', '201', ...BOTH_COMPLETED],
      ['update it', '200', ...BOTH_COMPLETED],
      ['update it to the same', '200', 'no event: nothing has changed'],
      ['delete it', '204', ...BOTH_COMPLETED],
      ['fails, then succeeds', '201', 'demo-flaky completed (2 tries)', BOTH_COMPLETED[1], EVENT],
      ['send an invalid event', '202', 'a dead letter, with this id:', expect.stringMatching(/^pending\/invalid\//)],
    ]);
    expect(linesOfDemonstration(app.output()).filter((line) => line.length > 80)).toEqual([]);
    expect(shownIn(app.output())).toEqual(shownIn(readFileSync('README.md', 'utf8')));
    const url = /Serving on (\S+)\. /.exec(app.output())?.[1];
    expect((await fetch(`${url}/api/health/ready`)).status).toBe(200);

    app.process.kill('SIGINT');

    expect(await app.ended).toBe(0);
    expect(keeperPid(folder.path())).toBeUndefined();
  });

  it('given --no-demo, then it serves without a demonstration', async () => {
    const app = start(['--no-demo', '--port', '0']);

    await app.printed('Ctrl-C ends it.');

    expect(app.output()).not.toContain('demonstration');
  });

  it('given SIMULATOR=off, then there is no simulator and no demonstration', async () => {
    const app = start(['--port', '0'], { SIMULATOR: 'off' });

    await app.printed('Ctrl-C ends it.');

    const url = /Serving on (\S+)\. /.exec(app.output())?.[1];
    expect((await fetch(`${url}/api/simulator`)).status).toBe(404);
    expect(app.output()).toContain('SIMULATOR is not on');
    expect(app.output()).not.toMatch(/The demonstration|simulatorFhir/);
  });

  it('given a port in use, then one line says so, and nothing is left running', async () => {
    const { port, release } = await takePort();

    const app = start(['--port', String(port)]);

    expect(await app.ended).toBe(1);
    expect(app.output()).toMatch(new RegExp(`^Port ${port} is in use by another program\\. .+$`));
    expect(keeperPid(folder.path())).toBeUndefined();
    release();
  });

  it('given wrong settings, then all are named before anything is started', async () => {
    const app = start([], { LEASE_SECONDS: '1', SIMULATOR: 'maybe' });

    expect(await app.ended).toBe(1);
    expect(app.output()).toMatch(/^Fix these settings:\n.*LEASE_SECONDS.*\n.*SIMULATOR.*$/);
    expect(keeperPid(folder.path())).toBeUndefined();
  });

  it('given a wrong setting of a workflow, then it is named before anything is started', async () => {
    const app = start([], { ALERT_RULES: 'nowhere.json' });

    expect(await app.ended).toBe(1);
    expect(app.output()).toMatch(/^Fix these settings:\n- ALERT_RULES names a file.*$/);
    expect(keeperPid(folder.path())).toBeUndefined();
  });

  it('given unknown names in local.settings.json, then the output has the nearest names, and no value', async () => {
    const file = join(folder.path(), 'local.settings.json');
    const Values = { SIMULATR: 'secret', LOKUPS: 'secret', LEASE_SECONDS: '1' };
    writeFileSync(file, JSON.stringify({ Values }));

    const app = start([], { UNKNOWN_IN_THE_ENVIRONMENT: 'x' });

    expect(await app.ended).toBe(1);
    rmSync(file);
    expect(app.output().split('\n')).toEqual([
      'local.settings.json has names that the app does not know:',
      '- SIMULATR: did you mean SIMULATOR?',
      '- LOKUPS: did you mean LOOKUPS?',
      'Fix these settings:',
      "- LEASE_SECONDS is '1', must be a whole number from 10 to 300",
    ]);
  });

  it.each([
    { args: ['--no-dmeo'], line: "Unknown option '--no-dmeo'. Did you mean --no-demo? --help has the rest." },
    {
      args: ['--port', '-1'],
      line: "--port needs a value; one that begins with '-' is written --port=VALUE. --help has the rest.",
    },
    { args: ['\u001b[31m\u202e'], line: String.raw`Unexpected argument '\u001b[31m\u202e'. --help has the rest.` },
  ])('given the wrong option $args.0, then one line says so, without control characters', async ({ args, line }) => {
    const app = start(args);

    expect(await app.ended).toBe(2);
    expect(app.output().trim()).toBe(line);
  });

  it('given --help, then it prints its options', async () => {
    const app = start(['--help']);

    expect(await app.ended).toBe(0);
    expect(app.output()).toContain('--no-demo');
  });
});

/** Returns each step of the demonstration, with the status of its answer and its outcomes. */
function stepsIn(output: string): string[][] {
  const steps: string[][] = [];
  for (const line of linesOfDemonstration(output)) {
    if (line.trim() === '') break;
    const [, what, answer, outcome] = /^ +(\w.*?) {2,}(\d{3}) {2}(.*)$/.exec(line) ?? [];
    if (what && answer && outcome) steps.push([what, answer, outcome]);
    else steps.at(-1)?.push(line.trim());
  }
  return steps;
}

/** Returns the lines from the first step to the meaning of the last outcome. */
function linesOfDemonstration(text: string): string[] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trim().startsWith('create a Patient  '));
  const to = lines.findIndex((line) => line.trim().startsWith('a dead letter  '));
  return lines.slice(from, to + 1);
}

/** Returns the lines of the demonstration, without the parts that differ each time. */
function shownIn(text: string): string[] {
  return linesOfDemonstration(text).map((line) =>
    line
      .trim()
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID')
      .replace(/undated\/.*/, 'NAME')
      .replaceAll(/\(\d tr\w+\)/g, '(N)')
      .replaceAll(/ {2,}/g, ' | '),
  );
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): TestProcess {
  return folder.start('src/local/start.ts', args, { env });
}
