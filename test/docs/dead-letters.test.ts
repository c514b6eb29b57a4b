import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VERBS } from '../../src/local/dead-letters/help.js';
import { useAppFolder } from '../local/app-folder.js';
import { eventually } from '../local/eventually.js';
import { ROOT, type TestProcess } from '../local/test-process.js';

const run = promisify(execFile);
const page = readFileSync('docs/dead-letters.md', 'utf8');
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, commands = '']) => commands);

const folder = useAppFolder();
let app: TestProcess;
let url = '';
beforeAll(async () => {
  const env = { REDRIVE_UNDELIVERED: 'off' };
  app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { env, lasts: true });
  await app.printed('Ctrl-C ends it.');
  url = /Serving on (\S+)\. /.exec(app.output())?.[1] ?? '';
});

/** Returns the commands of an example, as typed in the folder of the project. */
async function type(commands: string): Promise<string> {
  const tool = `'${process.execPath}' --import '${join(ROOT, 'test/local/run-typescript.mjs')}' '${join(ROOT, 'src/local/dead-letters/main.ts')}'`;
  const typed = commands
    .replaceAll('npm run -s dead-letters --', tool)
    .replaceAll('http://localhost:7071', url)
    .replace('"scenario": "outage"', '"scenario": "outage", "timeScale": 20000');
  const env = { ...process.env, EventStorage: '', AzureWebJobsStorage: '', INIT_CWD: folder.path() };
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', typed], { cwd: folder.path(), env });
  return stdout;
}

const sumOf = (matches: Iterable<RegExpMatchArray>) =>
  [...matches].reduce((sum, [, digits]) => sum + Number(digits), 0);

type RunStatus = { phase: string; verdict: { ok: boolean; events: Record<string, number> } | null };

/** Waits until the scenario run reaches `phase`, and returns the run. */
const runAt = (phase: string) =>
  eventually(async () => {
    const { runs } = (await (await fetch(`${url}/api/simulator/runs`)).json()) as { runs: RunStatus[] };
    if (runs[0]?.phase === 'failed') throw new Error('The run has failed.');
    return runs[0]?.phase === phase ? runs[0] : undefined;
  });

describe('when a reader follows docs/dead-letters.md', () => {
  const [start = '', count = '', redrive = '', remaining = '', show = '', discard = '', send = '', correct = ''] =
    examples;

  it('given the page, then it has an example for each step and names every verb', () => {
    expect(examples).toHaveLength(8);
    for (const verb of VERBS) expect(page).toContain(`npm run dead-letters -- ${verb}`);
  });

  it('given an outage of the receiver, then the commands count and import undelivered events without loss', async () => {
    await type(start);
    await runAt('redriving');

    const counted = await type(count);
    expect(counted).toMatch(/^DEAD LETTERS {2}EVENTS {2}STAGE +REASON +ERROR +SINCE \(UTC\) +EXAMPLE$/m);
    expect(counted).toMatch(/^\d+ +\d+ +undelivered {2}TimeToLiveExceeded {2}Probation/m);
    expect(sumOf(counted.matchAll(/^\d+ +(\d+) +undelivered/gm))).toBeGreaterThan(200);
    expect(await type(redrive)).toMatch(
      /^Dry run: .*\n(\d+ dead letters?: imported) .*\n\1 \(the app handles the events as new deliveries\)\.\n$/,
    );

    const { verdict } = await runAt('done');
    expect(verdict).toMatchObject({ ok: true, events: { settled: 200, lost: 0, undelivered: 0 } });
    expect(verdict?.events.rejected).toBeGreaterThan(0);
  });

  it('given the remaining invalid events, then the commands show them without payloads and discard them', async () => {
    // The verdict does not wait for events that are invalid: their dead letters may still be written.
    const left = await eventually(async () => {
      const listed = await type(remaining);
      return / {2}invalid +(invalid|unknown-type|too-large)/.test(listed) ? listed : undefined;
    });
    expect(left).toMatch(/^(3 of \d+|[123]) dead letters?/m);
    expect(left).not.toContain('undelivered');
    expect(await type(show)).toMatch(/^problems +\S+ .*/m);

    expect(await type(discard)).toMatch(/^\d+ dead letters?: discarded \(/);
    await eventually(async () => {
      if ((await type('npm run -s dead-letters -- list\n')) === '0 dead letters\n') return true;
      await type(discard); // of invalid events that came after the first discard
      return undefined;
    });
  });

  it('given a corrected invalid event, then the app runs the corrected event and the dead letter names it', async () => {
    expect(await type(send)).toContain('202');

    const printed = await type(correct);

    expect(printed).toContain('1 dead letter: accepted (');
    expect(printed).toMatch(/^isResolved +true$/m);
    expect(printed).toContain('edited/2026-03-14/');
    expect(printed).toMatch(/"resource-index":\{"status":"(completed|running|waiting)"/);
  });
});
