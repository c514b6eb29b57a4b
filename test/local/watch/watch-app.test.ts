import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../eventually.js';
import { keeperPid } from '../keeper.js';
import { projectCopy } from '../project-copy.js';
import { ROOT, startProcess, type TestProcess } from '../test-process.js';

const LIVE = 'src/functions/health.ts';
const INDEX = 'src/workflows/index.ts';
const PAGE = 'src/ui/index.html';
const WORKFLOW = `import { defineWorkflow, fhir } from '../workflow.js';

export const mine = defineWorkflow({ name: 'mine', on: fhir('Basic'), handle() {} });
`;

const copy = projectCopy();
let app: TestProcess;
const inCopy = (path: string) => join(copy.path(), path);
const textOf = (path: string) => readFileSync(inCopy(path), 'utf8');

beforeAll(async () => {
  symlinkSync(resolve('node_modules'), inCopy('node_modules'), 'junction');
  copyFileSync('tsconfig.build.json', inCopy('tsconfig.build.json'));
  copyFileSync('package-lock.json', inCopy('package-lock.json'));
  mkdirSync(inCopy('docs'));
  copyFileSync('docs/sample-image.dcm', inCopy('docs/sample-image.dcm')); // the page has it
  // Older than any installation: else setup.mjs would run npm ci, which empties the linked node_modules.
  utimesSync(inCopy('package-lock.json'), 0, 0);
  const setUp = relative(ROOT, inCopy('src/local/setup.mjs'));
  const env = { EventStorage: '', AzureWebJobsStorage: '' };
  app = startProcess(setUp, ['dist/local/start.js', '--watch', '--port', '0'], { env });
  await app.printed('Ctrl-C ends it.');
});
afterAll(async () => {
  await app.kill();
  await eventually(() => (keeperPid(copy.path()) === undefined ? true : undefined));
});

describe('when npm start -- --watch runs', () => {
  it('given a source that an editor replaces, twice, then the app serves each change, on the same Azurite', async () => {
    const keeper = keeperPid(copy.path());

    for (const word of ['first', 'second']) {
      const text = textOf(LIVE);
      await served(() => save(LIVE, text.replace(/live: (true|'\w+')/, `live: '${word}'`)));
      expect(await (await fetch(`${url()}/api/health/live`)).json()).toEqual({ live: word });
    }

    expect(keeper).toBeDefined();
    expect(keeperPid(copy.path())).toBe(keeper);
  });

  it('given a change of the page, then the app serves the changed page', async () => {
    const text = textOf(PAGE);

    await served(() => save(PAGE, text.replace('<title>', '<title>Changed ')));

    expect(await (await fetch(`${url()}/`)).text()).toContain('<title>Changed ahds-events</title>');
  });

  it('given an error of types, then the app restarts, and the error is shown', async () => {
    const text = textOf(LIVE);
    await served(() => save(LIVE, `${text}export const wrong: number = 'text';\n`));

    await app.printed('The types have errors, see above. The app runs nevertheless.');

    // The compiler writes the place as file:line:column when it prints colours.
    const output = stripVTControlCharacters(app.output());
    expect(output).toMatch(/health\.ts[(:]\d+[,:]\d+\)?(:| -) error TS2322/);
    await served(() => save(LIVE, text));
  });

  it('given another command of the project, then it does not change dist', () => {
    const script = inCopy('src/local/setup.mjs');

    const { status, stderr } = spawnSync(process.execPath, [script, 'dist/local/start.js', '--help'], {
      encoding: 'utf8',
    });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('given a new workflow, then it handles events; given it is removed, then its built file is, too', async () => {
    const index = textOf(INDEX);
    await served(() => {
      save('src/workflows/mine.ts', WORKFLOW);
      save(INDEX, `import { mine } from './mine.js';\n${index.replace('imagingStudies]', 'imagingStudies, mine]')}`);
    });
    const body = JSON.stringify({ resourceType: 'Basic', id: 'b', code: { text: 'b' } });
    const headers = { 'content-type': 'application/fhir+json' };
    await fetch(`${url()}/api/simulator/fhir/Basic/b`, { method: 'PUT', headers, body });

    const status = await eventually(async () => {
      const { events } = await json(`${url()}/api/simulator/events?subject=Basic/b`);
      const answer = await json(`${url()}/api/events/${events[0].id}`);
      const [event] = answer.events ?? [];
      return event?.state === 'settled' ? event.workflows.mine?.status : undefined;
    });
    expect(status).toBe('completed');

    await served(() => {
      save(INDEX, index);
      rmSync(inCopy('src/workflows/mine.ts'));
    });
    expect(() => textOf('dist/workflows/mine.js')).toThrow('ENOENT');
  });

  it('given a build error, then it is shown, and the running app keeps serving until the source is corrected', async () => {
    const text = textOf(LIVE);
    const before = url();

    save(LIVE, `${text}const = 1;\n`);
    await app.printed('The build failed, see above.');
    expect(app.output()).toMatch(/health\.ts:\d+:\d+/);
    expect((await fetch(`${before}/api/health/live`)).status).toBe(200);

    await served(() => save(LIVE, text.replace(`live: 'second'`, 'live: true')));
    expect(await (await fetch(`${url()}/api/health/live`)).json()).toEqual({ live: true });
  });

  it('given a wrong setting, then the app ends with it, and starts again when the setting is right', async () => {
    save('local.settings.json', JSON.stringify({ Values: { LEASE_SECONDS: '1' } }));
    await app.printed('The app has ended. It starts again at the next change.');
    expect(app.output()).toContain("- LEASE_SECONDS is '1', must be");

    await served(() => save('local.settings.json', JSON.stringify({ Values: { LEASE_SECONDS: '30' } })));
    expect((await fetch(`${url()}/api/health/ready`)).status).toBe(200);
  });

  it('given a Ctrl-C, then the app, Azurite and the watch end, and the next build is a whole one', async () => {
    const last = url();

    app.process.kill('SIGINT');

    expect(await app.ended).toBe(0);
    expect(keeperPid(copy.path())).toBeUndefined();
    await expect(fetch(last)).rejects.toThrow('fetch failed');
    expect(() => textOf('dist/.built-from')).toThrow('ENOENT');
  });
});

/** Writes beside the file and renames, as many editors do. */
function save(path: string, text: string): void {
  const draft = join(dirname(inCopy(path)), 'draft.tmp');
  writeFileSync(draft, text);
  renameSync(draft, inCopy(path));
}

/** Resolves when the app serves what `change` has written. */
async function served(change: () => void): Promise<void> {
  const before = urls().length;
  change();
  await eventually(() => (urls().length > before ? true : undefined));
}

const urls = () => [...app.output().matchAll(/^Serving on (\S+)\. Ctrl-C ends it\.$/gm)].map(([, found = '']) => found);
const url = () => urls().at(-1) ?? '';

// biome-ignore lint/suspicious/noExplicitAny: what is not as expected fails the test.
async function json(from: string): Promise<any> {
  return (await fetch(from)).json();
}
