import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseOptions } from '../../src/local/reconcile/options.js';
import { startService } from '../clients/stand-in.js';
import { useAppFolder } from '../local/app-folder.js';
import { eventually } from '../local/eventually.js';
import { ROOT } from '../local/test-process.js';
import { fhirHistory, fhirResources, versionsOf } from '../reconcile/services.js';

const run = promisify(execFile);
const page = readFileSync('docs/reconcile.md', 'utf8');
const examples = [...page.matchAll(/^( *)```sh\n([\s\S]*?)^ *```/gm)].map(([, indent = '', commands = '']) =>
  commands.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
);
const HOST = 'clinic-main.fhir.azurehealthcareapis.com';
const WORKSPACES = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/clinic';
/** The app does not remember jobs of long ago, so the changes are of yesterday. */
const YESTERDAY = new Date(Date.now() - 24 * 3_600_000).toISOString().slice(0, 10);
const versions = versionsOf(40).map((each) => ({ ...each, time: YESTERDAY + each.time.slice(YESTERDAY.length) }));

const folder = useAppFolder();
let service: Awaited<ReturnType<typeof startService>>;
let env: Record<string, string> = {};
beforeAll(async () => {
  const [history, resources] = [fhirHistory(versions), fhirResources(versions)];
  service = await startService((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const isList = pathname.endsWith('_history') || searchParams.has('_sort');
    (isList ? history : resources)(request, response);
  });
  env = { SIMULATOR: 'off', FHIR_HOSTS: `${HOST} ${service.url}`, WORKSPACES };
  const app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { env, lasts: true });
  await app.printed('Ctrl-C ends it.');
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

/** Returns what the commands of an example print, as typed in the folder of the project. */
async function type(commands: string): Promise<string> {
  const tool = `'${process.execPath}' --import '${join(ROOT, 'test/local/run-typescript.mjs')}' '${join(ROOT, 'src/local/reconcile/main.ts')}'`;
  const typed = commands.replaceAll('npm run -s reconcile --', tool).replaceAll('2026-03-10', YESTERDAY);
  const noStorage = { EventStorage: '', AzureWebJobsStorage: '', INIT_CWD: folder.path() };
  const options = { cwd: folder.path(), env: { ...process.env, ...noStorage, ...env } };
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', typed], options);
  return stdout;
}

describe('when a reader follows docs/reconcile.md', () => {
  const [count = '', bringIn = '', newWorkflow = '', audit = '', removed = ''] = examples;

  it('given the page, then it has an example for each task, and names each option that the examples use', () => {
    expect(examples).toHaveLength(5);
    const lines = examples.flatMap((commands) => commands.trim().split('\n'));
    for (const line of lines) expect(() => parseOptions(line.split(' -- ')[1]?.split(' ') ?? [])).not.toThrow();
  });

  it('given dropped events, then the commands count them, bring them in, and find nothing missing', async () => {
    const [, dryRun = '', report = ''] = /^ {7}(Dry run: .*)\n {7}(.*)$/m.exec(page) ?? [];
    const counts = report.slice(report.indexOf(': ') + 2);

    const counted = await type(count);
    const broughtIn = await type(bringIn);

    expect(counted).toContain(dryRun);
    expect(counted).toContain(`${HOST} (history), from ${YESTERDAY}T00:00:00.000Z to `);
    expect(counted).toContain(counts);
    expect(broughtIn).toContain('40 missing, 40 brought in.');
    await eventually(async () => ((await type(count)).includes('40 known, 0 missing') ? true : undefined));
  });

  it('given a new workflow, then the commands read the current version of each resource', async () => {
    const printed = await type(newWorkflow);

    expect(printed.match(/\(current Patient\).*40 changes compared, 40 known, 0 missing/g)).toHaveLength(2);
  });

  it('given an audit and a search for removed resources, then nothing is missing', async () => {
    const printed = await type(audit + removed);

    expect(printed).toContain('40 changes compared, 40 known, 0 missing');
    expect(printed.match(/40 resources compared, .* 0 removed; 0 deletions known, 0 deletions/g)).toHaveLength(3);
  });
});
