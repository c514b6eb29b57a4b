import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { eventually } from '../local/eventually.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { useOwnAzurite } from './own-azurite.js';

// Real host processes end, over a real Azurite. Handlers report every run to a server in this test.

const SERVICE = 'end.fhir.azurehealthcareapis.com';
const azurite = useOwnAzurite();
let server: Server;
/** `workflow id what` of each report from a handler. */
let reports: string[] = [];
const hosts: TestProcess[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { workflow, id, what } = JSON.parse(await text(request));
    const before = runsOf(workflow, id);
    reports.push(`${workflow} ${id} ${what}`);
    response.end(String(before > 0 ? 0 : 1000 * Number(id.split('-')[0])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  reports = [];
});
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.kill())));
afterAll(() => server.close());

describe('a host that gets SIGTERM', () => {
  it('given handlers of 1, 12, 18 and 120 s and load, then another host continues at once without takeovers', async () => {
    const first = await start();
    await deliver(first, ['120-long'], 'Created');
    await eventually(() => runsOf('long', '120-long') > 0 || undefined);
    void deliver(first, ['1-s', '12-s', '18-s', ...Array.from({ length: 300 }, (_, n) => `0-load-${n}`)]).catch(
      () => {},
    );
    await eventually(() => ['1-s', '12-s', '18-s'].every((id) => runsOf('stubborn', id) > 0) || undefined);

    first.process.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.output()).toContain('{"what":"stopped","count":0}');
    expect(first.output()).not.toContain('hooks still run');
    const second = await start();
    await eventually(noRowWaits);

    expect(Object.fromEntries(['1-s', '12-s', '18-s'].map((id) => [id, runsOf('stubborn', id)]))).toEqual({
      '1-s': 1,
      '12-s': 2,
      '18-s': 2,
    });
    expect(runsOf('long', '120-long')).toBe(2);
    expect(second.output()).not.toContain('job-taken-over');
    expect((await records()).filter(({ crashes = 0 }) => Number(crashes) > 0)).toEqual([]);
  });
});

describe('a host that is killed', () => {
  it('given no timer afterwards, then the next host retries the running job when its lease has expired', async () => {
    const env = { LEASE_SECONDS: '10', 'AzureWebJobs.wakeDue.Disabled': 'true' };
    const first = await start(env);
    await deliver(first, ['100-killed'], 'Created');
    await eventually(() => runsOf('long', '100-killed') > 0 || undefined);

    first.process.kill('SIGKILL');
    await first.ended;
    const second = await start(env);
    await eventually(noRowWaits);

    expect(runsOf('long', '100-killed')).toBe(2);
    expect(reports).toContain('long 100-killed done');
    expect(second.output()).toContain('job-taken-over');
  });
});

describe('a host that gets SIGTERM while storage does not answer', () => {
  it('given a running handler, then the host still logs `stopped` in time', async () => {
    const host = await start();
    void deliver(host, ['18-still']).catch(() => {});
    await eventually(() => runsOf('stubborn', '18-still') > 0 || undefined);

    process.kill(azurite.pid(), 'SIGSTOP');
    host.process.kill('SIGTERM');
    const code = await host.ended.finally(() => process.kill(azurite.pid(), 'SIGCONT'));

    expect(code).toBe(0);
    expect(host.output()).toContain('{"what":"stopped","count":1}');
    expect(host.output()).not.toContain('hooks still run');
  });
});

async function start(env: NodeJS.ProcessEnv = {}): Promise<TestProcess & { url: string }> {
  const args = ['--app', 'test/processes/app', '--main', 'end.mjs', '--port', '0', '--drain-ms', '300'];
  const { port } = server.address() as AddressInfo;
  const host = startProcess('src/local/host/main.ts', args, {
    env: {
      EventStorage: azurite.connectionString(),
      DEADLINE_SECONDS: '20',
      END_SERVER: `http://127.0.0.1:${port}`,
      ...env,
    },
  });
  hosts.push(host);
  return { ...host, url: await urlOf(host) };
}

async function deliver({ url }: { url: string }, ids: readonly string[], change = 'Updated'): Promise<void> {
  const events = ids.map((id) => ({
    id,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/end',
    eventType: `Microsoft.HealthcareApis.FhirResource${change}`,
    subject: `${SERVICE}/Patient/${id}`,
    eventTime: '2026-03-14T12:00:00.000Z',
    data: { resourceType: 'Patient', resourceFhirAccount: SERVICE, resourceFhirId: id, resourceVersionId: 1 },
    dataVersion: '1',
    metadataVersion: '1',
  }));
  const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  if (answer.status !== 202) throw new Error(`The POST was answered with ${answer.status}.`);
}

function runsOf(workflow: string, id: string): number {
  return reports.filter((line) => line === `${workflow} ${id} begins`).length;
}

function tables() {
  return createAzureTableStore({ kind: 'connection-string', connectionString: azurite.connectionString() });
}

async function noRowWaits(): Promise<true | undefined> {
  return (await tables().query('waiting', { limit: 1 })).rows.length === 0 || undefined;
}

async function records() {
  return (await tables().query('ledger20260314', { limit: 1000 })).rows.map(({ row }) => row);
}
