import { randomInt } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { mulberry32 } from '../../src/simulator/seeded.js';
import { ledgerPlaceOf } from '../../src/storage/address.js';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { pagesOf } from '../../src/storage/pages.js';
import { eventually } from '../local/eventually.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { useOwnAzurite } from './own-azurite.js';
import { patiently } from './patiently.js';

// Real processes over a real Azurite: the app, and two terminals that redrive and discard its dead letters. SIGKILL
// ends the terminals again and again. Handlers report every run to a server in this test.

const EVENTS = 40;
const INVALID = 15;
const UNDELIVERED = 30;
const KILLS = 2;
/** The workflows that report to the server of this test. The fourth workflow, resource-index, completes at once. */
const REPORTING = 3;
const CONTAINERS = ['dead-letters', 'undelivered'] as const;
const SOURCE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/night';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const random = mulberry32(seed);
const azurite = useOwnAzurite();
/** The jobs whose handler succeeded. */
const done = new Set<string>();
/** The jobs whose handler ran again after their record was completed. Only a run that lost its lease may repeat. */
const repeated: string[] = [];
let isFixed = false;
let server: Server;
let app: TestProcess;
let url = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    answerTo(request).then(
      (answer) => response.end(answer),
      () => response.destroy(), // after a failed test, storage is gone while jobs still run
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = {
    ...storage(),
    LEASE_SECONDS: '10',
    REDRIVE_UNDELIVERED: 'off',
    NIGHT_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  app = startProcess('src/local/host/main.ts', ['--app', 'test/processes/app', '--port', '0'], { env });
  url = await urlOf(app);
});

afterAll(async () => {
  await app.kill();
  server.close();
  server.closeAllConnections();
});

const storage = () => ({ EventStorage: azurite.connectionString() });
const connection = () => ({ kind: 'connection-string', connectionString: azurite.connectionString() }) as const;
const tool = (args: string) => startProcess('src/local/dead-letters/main.ts', args.split(' '), { env: storage() });

/** Returns the answer to a handler, which reports the address of its job. */
async function answerTo(request: IncomingMessage): Promise<string> {
  const { address } = (await json(request)) as { address: string };
  if (!isFixed) return 'for-good';
  if (await isCompleted(address)) repeated.push(address);
  done.add(address);
  return 'ok';
}

async function isCompleted(address: string): Promise<boolean> {
  const { table, partition, key } = ledgerPlaceOf(address);
  const tables = createAzureTableStore(connection());
  const { stored } = await patiently(() => tables.read(table, partition, key));
  return stored?.row.result === 'completed';
}

async function answerOf(args: string): Promise<string> {
  const command = tool(args);
  expect(await command.ended).toBe(0);
  return command.stdout();
}

/** Runs the command and kills it a few times, then runs it to its end. */
async function runDespiteKills(args: string): Promise<void> {
  for (let kills = KILLS; kills > 0; kills -= 1) {
    const killed = tool(args);
    await Promise.race([killed.ended, pause(1200 + random() * 1800)]);
    await killed.kill();
  }
  const last = tool(args);
  const code = await last.ended;
  expect({ seed, code, output: code === 0 ? '' : last.output() }).toEqual({ seed, code: 0, output: '' });
}

function eventOf(id: string): Record<string, unknown> {
  const data = {
    resourceType: 'Patient',
    resourceFhirAccount: 'night.fhir.azurehealthcareapis.com',
    resourceFhirId: id,
    resourceVersionId: 1,
  };
  const type = 'Microsoft.HealthcareApis.FhirResourceCreated';
  return { id, source: SOURCE, specversion: '1.0', type, time: '2026-03-14T12:00:00.000Z', data };
}

async function deliver(events: readonly unknown[]): Promise<void> {
  const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  expect(answer.status).toBe(202);
}

async function namesIn(blobs: BlobStore): Promise<string[]> {
  const names: string[] = [];
  for await (const page of pagesOf((from) => blobs.list('', { limit: 1000, ...from }))) {
    names.push(...page.blobs.map(({ name }) => name));
  }
  return names;
}

it('given kills of two terminals that redrive and discard, then each job completes and each dead letter is resolved', async () => {
  const ids = Array.from({ length: EVENTS }, (_, n) => `event-${n}`);
  const lost = Array.from({ length: UNDELIVERED }, (_, n) => `lost-${n}`);
  const tables = createAzureTableStore(connection());
  const [deadLetters, undelivered] = CONTAINERS.map((name) => createAzureBlobStore(connection(), name)) as [
    BlobStore,
    BlobStore,
  ];
  const isAtRest = async () => ((await tables.query('waiting', { limit: 1 })).rows.length === 0 ? true : undefined);
  await deliver([...ids.map(eventOf), ...Array.from({ length: INVALID }, (_, n) => ({ id: `invalid-${n}` }))]);
  for (let at = 0; at < UNDELIVERED; at += 10) {
    const events = lost.slice(at, at + 10).map((id) => ({ ...eventOf(id), deadletterreason: 'TimeToLiveExceeded' }));
    await undelivered.create(`FHIR/2026/3/14/${at}/x.json`, JSON.stringify(events));
  }
  await eventually(isAtRest);
  expect(await answerOf('list --by stage')).toMatch(new RegExp(`^${EVENTS * REPORTING} .* failed `, 'm'));

  isFixed = true;
  // --force also redrives the invalid dead letters, which fail again.
  await Promise.all([
    runDespiteKills('redrive --all --force --rate 60'),
    runDespiteKills('redrive --all --force --rate 60'),
  ]);
  await eventually(isAtRest);
  expect(await answerOf('list --by stage')).toMatch(
    new RegExp(`^DEAD LETTERS .*\\n${INVALID} +invalid .*\\n${INVALID} dead letters\\n$`),
  );
  await Promise.all([
    runDespiteKills('discard --all --why test --rate 5'),
    runDespiteKills('discard --all --why test --rate 5'),
  ]);

  expect(await answerOf('list')).toBe('0 dead letters\n');
  expect(repeated).toEqual([]);
  expect(done.size).toBe((EVENTS + UNDELIVERED) * REPORTING);
  for (const id of [...ids, ...lost]) {
    const { events } = (await (await fetch(`${url}/api/events/${id}`)).json()) as {
      events: { workflows: Record<string, { status: string }> }[];
    };
    const statuses = events.flatMap(({ workflows }) => Object.values(workflows).map(({ status }) => status));
    expect({ id, statuses }).toEqual({ id, statuses: Array(REPORTING + 1).fill('completed') });
  }
  const names = await namesIn(deadLetters);
  const resolved = names.filter((name) => name.startsWith('resolved/'));
  // A kill during a move leaves the dead letter in both pending/ and resolved/.
  expect(names.filter((name) => !resolved.includes(name.replace('pending/', 'resolved/')))).toEqual([]);
  expect(resolved).toHaveLength(EVENTS * REPORTING + INVALID);
  expect((await namesIn(undelivered)).every((name) => name.startsWith('resolved/'))).toBe(true);
  for (const table of ['newest', 'resources']) {
    expect((await tables.query(table, { limit: 1000 })).rows).toHaveLength(EVENTS + UNDELIVERED);
  }
});
