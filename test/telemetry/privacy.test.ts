import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import * as z from 'zod';
import { exportTelemetry } from '../../src/functions/export-telemetry.js';
import { registerFunctions } from '../../src/functions/register.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { METRICS, WORKFLOW } from '../../src/telemetry/metrics.js';
import { createFakeClock } from '../../src/testing/index.js';
import {
  type Context,
  defineWorkflow,
  dicom,
  fhir,
  type HealthEvent,
  lookup,
  seconds,
  type Workflow,
} from '../../src/workflow.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import {
  asCloudEvent,
  dicomRaw,
  ERRORS,
  FATAL,
  fhirRaw,
  HOST,
  LATER,
  logCarelessly,
  MARK,
  NAME,
  NUMBER,
  noting,
  printed,
  quote,
  RESOURCE,
  SOURCE,
  WHOLE,
} from '../pipeline/marked-world.js';
import { allThatFollows, watched } from '../pipeline/memory-app.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { readOtlp } from './read-otlp.js';
import { type Received, type StandIn, startStandIn } from './stand-in.js';

// Promise 5 of ARCHITECTURE.md, for the whole app with both exporters: each value of an event but its id, types and time
// holds a mark, and no mark may leave the process.

const KEY = '00000000-0000-0000-0000-00000000000a';
const JSON_HEADERS = new Headers({ 'content-type': 'application/json' });
const TRACE_PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let collector: StandIn;
let insights: StandIn;
beforeEach(async () => {
  [collector, insights] = await Promise.all([startStandIn(), startStandIn()]);
  insights.answers(acceptAll);
});
afterEach(() => Promise.all([collector.stop(), insights.stop()]));

const acceptAll = (response: ServerResponse, { body }: Received) => {
  const items = JSON.parse(body.toString()).length;
  response.end(JSON.stringify({ itemsReceived: items, itemsAccepted: items, errors: [] }));
};

type Fail = (event: HealthEvent, run: number, context: Context) => unknown;

/** A workflow that puts content into its log and its errors. `fail` runs at the end of its handler. */
function careless(name: string, fail: Fail): Workflow {
  const runs = new Map<string, number>();
  return defineWorkflow({
    name,
    on: [fhir('*'), dicom()],
    retry: { tries: 3, from: seconds(5), to: seconds(5) },
    handle(event, context) {
      const run = (runs.get(context.idempotencyKey) ?? 0) + 1;
      runs.set(context.idempotencyKey, run);
      logCarelessly(event, context);
      return fail(event, run, context) as Promise<void>;
    },
    lookup: lookup({
      name: `${name}-things`,
      query: z.object({ family: z.literal('nobody') }),
      answer: async () => {
        throw new Error(NAME);
      },
    }),
    task: {
      name: `${name.replaceAll('-', '')}Task`,
      schedule: '0 * * * * *',
      async run({ log }) {
        log.warn(NAME as never);
        throw Object.assign(new Error(NAME), { code: RESOURCE });
      },
    },
  });
}

/** Returns workflows that fail in each possible way. */
function workflows(): Workflow[] {
  const throwing = (error: (event: HealthEvent) => unknown, times: number) => (event: HealthEvent, run: number) => {
    if (run <= times) throw error(event);
  };
  const latest = defineWorkflow({
    name: 'latest',
    on: fhir('*'),
    ordering: 'latest',
    handle: (event, { tables }) => tables('patients').change('all', event.id, () => ({ name: NAME })),
  });
  return [
    latest,
    careless('well', () => {}),
    ...Object.entries(ERRORS).map(([name, error]) =>
      careless(`fails-${name.replaceAll(' ', '-')}`, throwing(error, 1)),
    ),
    careless('spends-its-tries', throwing(ERRORS.message as never, 9)),
    careless('fatal', throwing(FATAL, 1)),
    careless('later', throwing(LATER, 1)),
    careless('reads', (_event, _run, { resource }) => (resource as { current(): Promise<unknown> }).current()),
    careless('slow', (event, _run, { signal }) => {
      return new Promise((_resolve, fail) => signal.addEventListener('abort', () => fail(new Error(quote(event)))));
    }),
  ];
}

const INVALID: unknown[] = [
  { ...fhirRaw(), data: { [NAME]: NAME, patient: NUMBER } },
  { ...fhirRaw(), data: NAME },
  { ...fhirRaw(), id: { name: NAME } },
  { ...fhirRaw(), id: NAME.repeat(200) },
  { ...fhirRaw(), eventTime: NAME },
  { ...fhirRaw(), eventType: `Some.${RESOURCE}` },
  { ...fhirRaw(), topic: [SOURCE] },
  { ...fhirRaw(), note: NAME.repeat(4000) },
  { ...asCloudEvent(fhirRaw()), specversion: NAME },
  JSON.parse(`{"__proto__":"${NAME}",${JSON.stringify(fhirRaw()).slice(1)}`),
  NAME,
  NUMBER,
  [fhirRaw()],
];
const VALID: unknown[] = [
  fhirRaw(),
  fhirRaw({ version: NUMBER + 1 }), // the same id, other data
  fhirRaw({ id: 'e2', change: 'Deleted', resourceId: `${RESOURCE}.2`, time: '2026-01-01T11:00:00Z' }),
  asCloudEvent(fhirRaw({ id: 'e3', version: NUMBER - 7 })),
  dicomRaw('e4'),
  asCloudEvent(dicomRaw('e5') as never),
];

/** The headers by which a service asks for a retry at once. */
const AT_ONCE = { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after-ms': '1' };

type Failure = () => unknown;

async function startWorld({
  failWith,
  ingress = 'webhook',
}: {
  failWith?: Failure;
  ingress?: 'webhook' | 'queue';
} = {}) {
  const clock = createFakeClock();
  const through = async (_where: unknown, call: () => Promise<unknown>) => {
    if (failWith) throw failWith();
    return call();
  };
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY};IngestionEndpoint=${insights.url}/`,
    OTEL_TRACES_SAMPLER: 'always_on',
    LOOKUPS: 'on',
    INGRESS: ingress,
  };
  const tables = createMemoryTableStore({ clock });
  await tables.create('appstate'); // decided when storage was well
  await tables.commit('appstate', 'ledger', [{ kind: 'insert', key: 'by-change', row: { firstDay: '' } }]);
  const failing = {
    tables: noting(tables, through),
    deadLetters: noting(createMemoryBlobStore({ clock }), through),
    undelivered: noting(createMemoryBlobStore({ clock }), through),
    due: noting(createMemoryQueueStore({ clock }), through),
    dueLong: noting(createMemoryQueueStore({ clock }), through),
  };
  const composed = composeMemoryApp({ workflows: workflows(), env, ...(failWith && { stores: failing }) });
  const functions = createFakeFunctions();
  registerFunctions(functions.app, composed.app);
  exportTelemetry(functions.app, composed.app);
  while (!composed.app.telemetry.trace('deliver', undefined)) await turn();
  return { ...composed, functions };
}

type World = Awaited<ReturnType<typeof startWorld>>;

/** Calls every function of the app, and returns the errors as the host gets them. Time passes on the app's clock. */
async function goThroughAll(world: World, except: string[] = []): Promise<string[]> {
  const { functions, app, clock, stores } = world;
  const { call, thrown } = createCaller(world, except);
  for (const raw of VALID) await call('queuedEvents', raw);
  for (const raw of INVALID) stores.eventQueues.poison.put(JSON.stringify(raw));
  await call('poisonedEvents');
  await call('fhirEvents', [...VALID, ...INVALID]);
  await call('dicomEvents', VALID, `00-${NAME}-01`);
  for (let rounds = 0; rounds < 4; rounds += 1) {
    clock.advance(15_000);
    await call('wakeDue');
    for (let text = stores.due.take(); text !== undefined; text = stores.due.take()) await call('redeliver', text);
    const { dueLong } = stores;
    for (let text = dueLong.take(); text !== undefined; text = dueLong.take()) await call('redeliverLong', text);
  }
  await stores.undelivered.create(`${NAME}/2026/1/1/0/1.json`, JSON.stringify(VALID)).catch(() => {});
  await call('redeliver', { shard: NAME, after: RESOURCE });
  await call('redeliver', `{"${NAME}`);
  for (const name of ['measureBacklog', 'expireLedger']) await call(name);
  for (const name of functions.names().filter((one) => one.endsWith('Task'))) await call(name);
  await askAll(world);
  await terminate(world);
  expect(app.telemetry.counters.eventsReceived).toBeGreaterThan(0);
  return thrown;
}

/** Returns a function that calls a function of the app, and the errors that it has thrown. */
function createCaller({ functions, clock }: World, except: string[]) {
  const thrown: string[] = [];
  async function call(name: string, input?: unknown, traceParent = TRACE_PARENT): Promise<void> {
    if (except.includes(name)) return;
    if (!functions.names().includes(name)) return; // events come by the webhook or the queue, never by both
    const answer = watched(functions.call(name, input, { traceContext: { traceParent } }));
    for (let waits = 0; waits < 100 && answer.state === 'open'; waits += 1) {
      await allThatFollows();
      if (answer.state === 'open') clock.advance(500);
    }
    expect(answer.state).not.toBe('open');
    if (answer.state === 'rejected') thrown.push(inspect(answer.error, WHOLE), `${answer.error}`);
  }
  return { call, thrown };
}

/** Calls functions of the HTTP API, and each lookup. */
async function askAll({ functions }: World): Promise<void> {
  for (const name of ['events', 'stats', 'healthReady']) {
    await functions.get(name, { params: { eventId: NAME }, query: { id: RESOURCE } }).catch(() => {});
  }
  const isLookup = (name: string) => String(functions.optionsOf(name)?.route).startsWith('lookups/');
  for (const name of functions.names().filter(isLookup)) {
    for (const text of [`{"family":"${NAME}"}`, '{"family":"nobody"}', NAME]) {
      await Promise.resolve(functions.call(name, { text: async () => text, headers: JSON_HEADERS })).catch(() => {});
    }
  }
}

async function terminate({ functions, clock, lines }: World): Promise<void> {
  const ended = functions.terminate();
  while (!lines.some((line) => line.includes('"stopped"'))) {
    await allThatFollows();
    clock.advance(500);
  }
  await ended;
}

/** Returns all that has left the process, as text. */
function leftOf({ lines }: World, thrown: string[]): string[] {
  const sent = [...collector.received, ...insights.received].flatMap(({ method, url, headers, body }) => [
    `${method} ${url} ${JSON.stringify(headers)}`,
    body.toString('utf8'),
    body.toString('latin1'),
  ]);
  return [...sent, ...lines, ...printed, ...thrown];
}

const marked = (left: string[]) => left.filter((text) => MARK.test(text)).map((text) => text.slice(0, 300));

describe('when all that the host can call is called with marked events, and telemetry goes to both', () => {
  it('given storage that works, then every path reaches both destinations, without any value of an event', async () => {
    const world = await startWorld();

    const thrown = await goThroughAll(world);

    const { metrics, spans, logs } = readOtlp(collector.received);
    const whats = new Set(logs.map(({ attributes }) => attributes.what));
    expect([...whats]).toEqual(
      expect.arrayContaining([
        'event-invalid',
        'job-dead-lettered',
        'job-retries',
        'job-waits',
        'message-dropped',
        'stopped',
        'task-failed',
        'workflow',
      ]),
    );
    expect(new Set(metrics.map(({ name }) => name))).toEqual(
      new Set(
        Object.values(METRICS)
          .map(({ name }) => name as string)
          .filter((name) => !/leases|circuits|reads|changes|queued/.test(name)),
      ),
    );
    expect(new Set(spans.map(({ name }) => name.split(' ')[0]))).toEqual(
      new Set(['deliver', 'redeliver', 'parse', 'job', 'claim', 'workflow', 'settle']),
    );
    const envelopes = insights.received.flatMap(({ body }) => JSON.parse(body.toString()));
    expect(new Set(envelopes.map(({ data }) => data.baseType))).toEqual(
      new Set(['MessageData', 'MetricData', 'RemoteDependencyData']),
    );
    expect(marked(leftOf(world, thrown))).toEqual([]);
  });

  it('given events by a queue, and poison, then no value of an event leaves the process', async () => {
    const world = await startWorld({ ingress: 'queue' });

    const thrown = await goThroughAll(world);

    const names = readOtlp(collector.received).metrics.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ahds.queued_events.messages', 'ahds.queued_events.oldest_age']));
    expect(world.lines.join()).toContain('"poison-taken"');
    expect(marked(leftOf(world, thrown))).toEqual([]);
  });

  it('given the list of metrics, then no attribute has another value than the list allows', async () => {
    const world = await startWorld();
    const names = new Set([...world.app.workflows.map(({ name }) => name), 'unknown']);

    await goThroughAll(world);

    const points = readOtlp(collector.received).metrics.flatMap(({ name, points }) =>
      points.map(({ attributes }) => ({ name, attributes })),
    );
    const wrong = points.filter(({ name, attributes }) => {
      const allowed = Object.values(METRICS).find((metric) => metric.name === name)?.attributes as Record<
        string,
        unknown
      >;
      const isAllowed = ([key, value]: [string, unknown]) =>
        allowed[key] === WORKFLOW ? names.has(String(value)) : (allowed[key] as unknown[] | undefined)?.includes(value);
      return !(
        Object.keys(attributes).length === Object.keys(allowed).length && Object.entries(attributes).every(isAllowed)
      );
    });
    expect(points.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it.each([
    { given: 'a StorageError', failWith: () => new StorageError(RESOURCE, `no row for ${NAME} ${NUMBER}`) },
    {
      given: 'an error of an SDK',
      failWith: () =>
        Object.assign(new Error(`PUT ${HOST}/${RESOURCE}`), {
          code: NAME,
          request: { body: JSON.stringify(fhirRaw()) },
        }),
    },
    { given: 'a text', failWith: () => `${NAME} ${NUMBER}` },
  ])('given $given from storage at every call, then no value of an event leaves the process', async ({ failWith }) => {
    const world = await startWorld({ failWith });

    // The nightly timer throws each error that is no StorageError, because it is a bug.
    const thrown = await goThroughAll(world, failWith() instanceof StorageError ? [] : ['expireLedger']);

    const whats = new Set(readOtlp(collector.received).logs.map(({ attributes }) => attributes.what));
    expect([...whats]).toEqual(
      expect.arrayContaining(['event-not-safe', 'wake-failed', 'backlog-not-measured', 'job-not-written']),
    );
    expect(thrown.length).toBeGreaterThan(0);
    expect(marked(leftOf(world, thrown))).toEqual([]);
  });

  it.each([
    { given: 'answer 503', fail: (response: ServerResponse) => response.writeHead(503, AT_ONCE).end(NAME) },
    { given: 'break the connection', fail: (response: ServerResponse) => response.destroy() },
  ])(
    'given both destinations $given at first, then the data is sent again, without any value of an event',
    async ({ fail }) => {
      const world = await startWorld();
      const seen = new Set<string>();
      const failFirst: Parameters<StandIn['answers']>[0] = (response, received) => {
        const { url } = received;
        if (!seen.has(url)) fail(response);
        else if (url === '/v2.1/track') acceptAll(response, received);
        else response.end();
        seen.add(url);
      };
      for (const one of [collector, insights]) one.answers(failFirst);

      const thrown = await goThroughAll(world);

      const sent = (url: string) => [...collector.received, ...insights.received].filter((one) => one.url === url);
      for (const url of ['/v1/traces', '/v1/logs', '/v1/metrics', '/v2.1/track']) {
        const [first, ...later] = sent(url);
        expect(later.some(({ body }) => first?.body.equals(body))).toBe(true);
      }
      expect(marked(leftOf(world, thrown))).toEqual([]);
    },
  );

  it.each([{ status: 400 }, { status: 401 }])(
    'given both destinations answer $status and quote the request, then the console has the status, and no value of an event',
    async ({ status }) => {
      const world = await startWorld();
      for (const one of [collector, insights]) {
        one.answers((response, { body }) => {
          const answer = Buffer.concat([Buffer.from(NAME), body.subarray(0, 100)]);
          response.writeHead(status, { 'content-type': 'text/plain', 'x-note': RESOURCE }).end(answer);
        });
      }

      const thrown = await goThroughAll(world);

      expect(world.lines).toContainEqual(`warn {"what":"export-failed","errorCode":"http-${status}","count":1}`);
      expect(marked(leftOf(world, thrown))).toEqual([]);
    },
  );
});
