import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { sleep, systemClock } from '../../src/clock.js';
import { isReconciled } from '../../src/events/reconciled.js';
import { mulberry32 } from '../../src/simulator/seeded.js';
import { ledgerPlaceOf } from '../../src/storage/address.js';
import { createAzureQueueStore } from '../../src/storage/azure-queue-store.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { pagesOf } from '../../src/storage/pages.js';
import type { Row, Stored, TableStore } from '../../src/storage/table-store.js';
import { DUE_SHARD_NAMES, LONG_SHARD_NAMES } from '../../src/storage/waiting.js';
import { eventually } from '../local/eventually.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { useOwnAzurite } from './own-azurite.js';
import { patiently } from './patiently.js';
import {
  createWorld,
  eventOf,
  HOST,
  nameOf,
  newestOf,
  type PatientChange,
  SOURCE,
  startFhirService,
} from './patients.js';

// Real processes over a real Azurite: the app, and two terminals that reconcile. SIGKILL ends the app and the terminals
// in the middle. Handlers report every run to a server in this test.

type Run = {
  workflow: string;
  address: string;
  eventId: string;
  resourceId: string;
  change: PatientChange['change'];
  version: number;
  time: string;
};
type Posted = ReturnType<typeof eventOf>;

/** The workflows that run for every change; `newest` runs only for changes that are not superseded. */
const OF_EVERY_CHANGE = ['tally', 'long'];
const BATCH = 10;
const CLIENTS = 4;
/** The share of events that Event Grid delivers twice. */
const TWICE = 0.2;
const NEAR_MS = 5 * 60_000;
const WAKE_EVERY_MS = 1000;
/** The command is slow, so that the kills come before its end. */
const LOOK_UPS_PER_SECOND = '150';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const random = mulberry32(seed);
const world = createWorld(random, systemClock.now());
const azurite = useOwnAzurite();
const runs: Run[] = [];
/** The runs of jobs whose record was completed before. */
const repeated: string[] = [];
let server: Server;
let service: Awaited<ReturnType<typeof startFhirService>>;
let tables: TableStore;
let app: TestProcess;
let url = '';

beforeAll(async () => {
  tables = createAzureTableStore({ kind: 'connection-string', connectionString: azurite.connectionString() });
  service = await startFhirService(world.changes);
  server = createServer(async (request, response) => {
    const run = JSON.parse(await text(request)) as Run;
    if (await isCompleted(run.address)) repeated.push(`${run.workflow} ${run.address}`);
    runs.push(run);
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await startApp();
});

afterAll(async () => {
  await app.kill();
  service.close();
  server.close();
  server.closeAllConnections();
});

async function isCompleted(address: string): Promise<boolean> {
  const { table, partition, key } = ledgerPlaceOf(address);
  const { stored } = await patiently(() => tables.read(table, partition, key));
  return stored?.row.result === 'completed';
}

async function startApp(): Promise<void> {
  const env = {
    EventStorage: azurite.connectionString(),
    LEASE_SECONDS: '10',
    RECONCILE_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const args = ['--app', 'test/processes/app', '--main', 'reconcile.mjs', '--port', '0'];
  app = startProcess('src/local/host/main.ts', args, { env });
  url = await urlOf(app);
}

async function killApp(): Promise<void> {
  await app.kill();
  await startApp();
}

function reconcile(...args: string[]): TestProcess {
  const env = {
    EventStorage: azurite.connectionString(),
    FHIR_HOSTS: `${HOST} ${service.url}`,
    WORKSPACES: SOURCE,
    SIMULATOR: 'off',
  };
  const all = ['--since', world.since, '--rate', LOOK_UPS_PER_SECOND, '--json', ...args];
  return startProcess('src/local/reconcile/main.ts', all, { env });
}

async function endOf(command: TestProcess) {
  const code = await command.ended;
  expect({ seed, code, output: code === 0 ? '' : command.output() }).toEqual({ seed, code: 0, output: '' });
  return JSON.parse(command.stdout()) as { parts: { compared: number; known: number; missing: number }[] };
}

/** Delivers events as Event Grid does: in batches, until the app acknowledges them, some of them twice, in any order. */
async function deliver(changes: readonly PatientChange[]): Promise<void> {
  const events = changes.flatMap((change) => {
    const twice = random() < TWICE ? (['cloud-event', 'event-grid'] as const) : [];
    const once = random() < 0.5 ? ('cloud-event' as const) : ('event-grid' as const);
    return [...new Set([once, ...twice])].map((schema) => ({ event: eventOf(change, schema), at: random() }));
  });
  const shuffled = events.sort((one, other) => one.at - other.at).map(({ event }) => event);
  const batches = Array.from({ length: Math.ceil(shuffled.length / BATCH) }, (_, n) =>
    shuffled.slice(n * BATCH, (n + 1) * BATCH),
  ).values();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const batch of batches) await untilAcknowledged(batch);
    }),
  );
}

async function untilAcknowledged(batch: readonly Posted[]): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
      method: 'POST',
      headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
      body: JSON.stringify(batch),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.status === 202) return;
    await sleep(systemClock, 200);
  }
}

const ofDelivery = (delivery: PatientChange['delivery']) => world.changes.filter((each) => each.delivery === delivery);
const runsOfReconciliation = () => runs.filter(({ eventId }) => isReconciled(eventId));
const once = (is: () => boolean) => eventually(() => is() || undefined);

/** Waits until `is` holds, and wakes the app for due rows meanwhile, so that the test need not wait for its timer. */
async function onceAwake(is: () => boolean | Promise<boolean>): Promise<void> {
  const connection = { kind: 'connection-string', connectionString: azurite.connectionString() } as const;
  const queues = { due: DUE_SHARD_NAMES, 'due-long': LONG_SHARD_NAMES };
  while (!(await is())) {
    for (const [queue, shards] of Object.entries(queues)) {
      const { send } = createAzureQueueStore(connection, queue);
      await Promise.all(shards.map((shard) => patiently(() => send(JSON.stringify({ shard })))));
    }
    await sleep(systemClock, WAKE_EVERY_MS);
  }
}

async function noRowWaits(): Promise<boolean> {
  const { rows } = await patiently(() => tables.query('waiting', { limit: 1 }));
  return rows.length === 0;
}

async function rowsOf(table: string): Promise<Stored[]> {
  const rows: Stored[] = [];
  for await (const page of pagesOf((from) => patiently(() => tables.query(table, { limit: 1000, ...from }))))
    rows.push(...page.rows);
  return rows;
}

/** Whether reconciliation, and not an event, has made the run of `tally` for this change. */
function hasRunByReconciliation(change: PatientChange): boolean {
  return runsOfReconciliation().some((run) => run.workflow === 'tally' && changeOf(run) === change);
}

/** Returns the jobs that ran for each change and workflow. More than one means that a change had two jobs. */
function jobsByChange(): Map<string, Set<string>> {
  const jobs = new Map<string, Set<string>>();
  for (const run of runs) {
    const change = changeOf(run);
    const name = change ? jobName(run.workflow)(change) : `an unknown change: ${JSON.stringify(run)}`;
    jobs.set(name, (jobs.get(name) ?? new Set()).add(run.address));
  }
  return jobs;
}

const jobName = (workflow: string) => (change: PatientChange) => `${workflow} ${nameOf(change)}`;

/** Returns the change of a run. Incarnations of one id are hours apart. */
function changeOf(run: Run): PatientChange | undefined {
  const isNear = (time: string) => Math.abs(Date.parse(time) - Date.parse(run.time)) < NEAR_MS;
  return world.changes.find(
    ({ id, version, change, time }) =>
      id === run.resourceId && version === run.version && change === run.change && isNear(time),
  );
}

const stateOf = (rows: readonly Row[], idOf: (row: Row) => unknown) =>
  Object.fromEntries(rows.map((row) => [idOf(row), `${row.change} ${row.version}`]));
/** Returns the records that are not settled, and the patients in the tables of the workflows. */
async function storedState() {
  const records = (await Promise.all((await tables.list('ledger')).map(rowsOf))).flat();
  const newest = (await rowsOf('newest')).map(({ key, row }) => ({ ...row, key }));
  return {
    open: records.filter(({ row }) => row.state !== undefined && row.state !== 'settled'),
    resources: stateOf(
      (await rowsOf('resources')).map(({ row }) => row),
      (row) => row.resourceId,
    ),
    newest: stateOf(newest, (row) => row.key),
  };
}

const stateOfService = () =>
  Object.fromEntries([...newestOf(world.changes)].map(([id, { change, version }]) => [id, `${change} ${version}`]));

it('given lost, late and repeated events, recreated resources, midnight and kills, then each change runs once', async () => {
  const early = deliver(ofDelivery('early'));
  await once(() => runs.length > 50);
  await killApp();
  await early;

  const killed = [reconcile(), reconcile()];
  await once(() => service.asked() >= 8);
  await Promise.all(killed.map((command) => command.kill()));
  await Promise.all([reconcile(), reconcile()].map(endOf));
  const late = ofDelivery('late');
  const half = Math.floor(late.length / 2);
  await deliver(late.slice(0, half)); // while rows of reconciliation wait
  await onceAwake(() => runsOfReconciliation().length > 0);
  await killApp();
  const later = late.slice(half);
  const found = later.filter(({ isKept }) => isKept);
  await onceAwake(() => found.filter(hasRunByReconciliation).length >= found.length / 2);
  await deliver(later);
  await onceAwake(noRowWaits);

  const jobs = jobsByChange();
  const names = new Set([
    ...jobs.keys(),
    ...OF_EVERY_CHANGE.flatMap((workflow) => world.changes.map(jobName(workflow))),
  ]);
  const wrong = [...names].filter((name) => jobs.get(name)?.size !== 1);
  expect({ seed, wrong, repeated }).toEqual({ seed, wrong: [], repeated: [] });
  expect({ seed, ...(await storedState()) }).toEqual({
    seed,
    open: [],
    resources: stateOfService(),
    newest: stateOfService(),
  });
  const { parts } = await endOf(reconcile('--dry-run', '--rate', '5000'));
  const kept = world.changes.filter(({ isKept }) => isKept).length;
  expect(parts).toMatchObject([{ compared: kept, known: kept, missing: 0 }]);
});
