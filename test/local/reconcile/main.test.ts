import { FHIR_HOST, startService } from '../../clients/stand-in.js';
import { useOwnAzurite } from '../../processes/own-azurite.js';
import { fhirHistory, timeOf, versionsOf } from '../../reconcile/services.js';
import { startProcess } from '../test-process.js';

const WORKSPACES = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w';
const NOWHERE = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;${['Blob', 'Queue', 'Table']
  .map((service) => `${service}Endpoint=http://127.0.0.1:9/a`)
  .join(';')}`;

/** The app does not remember jobs of long ago, so these changes are of yesterday. */
const YESTERDAY = new Date(Date.now() - 24 * 3_600_000).toISOString().slice(0, 10);
const DAY = ['--since', YESTERDAY, '--until', YESTERDAY];
const ofYesterday = (count: number) => versionsOf(count).map((each) => ({ ...each, time: yesterday(each.time) }));
const yesterday = (time: string) => YESTERDAY + time.slice(YESTERDAY.length);

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return startProcess('src/local/reconcile/main.ts', args, { env: { WORKSPACES, SIMULATOR: 'off', ...env } });
}

async function run(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const process = start(args, env);
  return { code: await process.ended, stdout: process.stdout(), output: process.output() };
}

/** The command has its own storage, because apps of other tests would run the rows. */
const azurite = useOwnAzurite();

describe('npm run reconcile, as a process', () => {
  it('given --help, then it prints options and exit codes, and does nothing else', async () => {
    const { code, stdout } = await run(['--help'], { EventStorage: NOWHERE });

    expect(code).toBe(0);
    expect(stdout).toContain('npm run reconcile -- --since TIME');
    const named = [
      'since',
      'until',
      'service',
      'types',
      'workflow',
      'rows-lost',
      'find-removed',
      'dry-run',
      'rate',
      'json',
      'account',
      'workflow-account',
    ];
    for (const option of named) expect(stdout).toContain(`  --${option}`);
    expect(stdout).toContain('Cost of --find-removed: a storage request for each 1,000 resources');
    expect(stdout).toContain('Exit code: 0');
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });

  it.each([
    { args: [], says: '--since is missing' },
    { args: ['--since', '2026-01-01', '--account', 'Events/1'], says: "--account is 'Events/1', must be the name" },
    {
      args: ['--find-removed', '--workflow-account', 'other'],
      says: '--workflow-account is for an app in Azure: name its storage account in --account too.',
    },
    { args: ['--since', '2026\x1b[31m'], says: "--since is '2026\\u001b[31m', must be a day" },
  ])('given $args, then the exit code is 2, and one line says what is wrong', async ({ args, says }) => {
    const { code, output, stdout } = await run(args, { EventStorage: NOWHERE, FHIR_HOSTS: FHIR_HOST });

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(output).toContain(says);
    expect(output).toMatch(/^[^\n\p{Cc}]* --help has the rest\.$/u);
  });

  it('given no service in the settings, then the exit code is 3, and the error names the settings', async () => {
    const { code, output } = await run(['--since', '2026-01-01'], { EventStorage: NOWHERE });

    expect(code).toBe(3);
    expect(output).toContain('FHIR_HOSTS and DICOM_HOSTS are absent');
  });

  it('given storage that does not answer, then the exit code is 3, and no secret is printed', async () => {
    const { code, output } = await run(['--since', '2026-01-01'], { EventStorage: NOWHERE, FHIR_HOSTS: FHIR_HOST });

    expect(code).toBe(3);
    expect(output).toContain('Storage does not answer');
    expect(output).not.toContain('c2VjcmV0');
  });

  it('given a dry run with --json, then standard output is only the counts as JSON', async () => {
    await using service = await startService(fhirHistory(ofYesterday(5)));
    const env = { EventStorage: azurite.connectionString(), FHIR_HOSTS: `${FHIR_HOST} ${service.url}` };

    const { code, stdout } = await run([...DAY, '--dry-run', '--json'], env);

    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, parts: [{ host: FHIR_HOST, compared: 5, missing: 5 }] });
    expect(code).toBe(0);
  });

  it('given --find-removed and a table without resources, then no resource is compared', async () => {
    await using service = await startService(fhirHistory([]));
    const env = { EventStorage: azurite.connectionString(), FHIR_HOSTS: `${FHIR_HOST} ${service.url}` };

    const { code, stdout } = await run(['--find-removed', '--json'], env);

    expect(JSON.parse(stdout)).toMatchObject({ parts: [{ host: FHIR_HOST, compared: 0, broughtIn: 0, end: 'done' }] });
    expect(code).toBe(0);
  });

  it('given SIGKILL within a page, then the same command continues with this page', async () => {
    const history = fhirHistory(ofYesterday(30), { maxPage: 10 });
    await using service = await startService(history, history, () => {}, history);
    const env = { EventStorage: azurite.connectionString(), FHIR_HOSTS: `${FHIR_HOST} ${service.url}` };
    const args = [...DAY, '--types', 'Patient', '--json'];
    const killed = start(args, env);
    await service.askedTimes(3);
    await killed.kill();

    const { code, stdout } = await run(args, env);

    expect(code).toBe(0);
    expect(JSON.parse(stdout).parts).toMatchObject([{ since: yesterday(timeOf(19)), compared: 11 }]);
  });
});
