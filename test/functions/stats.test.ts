import { registerOverview } from '../../src/functions/overview.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir, minutes } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const long = defineWorkflow({ name: 'long', on: fhir('*'), timeout: minutes(20), handle() {} });

function start(options: Parameters<typeof composeMemoryApp>[0] = {}) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [long], ...options });
  registerOverview(functions.app, composed.app);
  return { functions, ...composed };
}

describe('when somebody asks for the stats', () => {
  it('given events, then the answer has the counters of this instance, and rows and dead letters of all', async () => {
    const { functions, app } = start();
    await app.pipeline.deliver([rawFhirEvent(), { id: 'invalid' }]);
    for (const name of ['A/2026/1/1/1/x.json', 'resolved/A/2026/1/1/1/y.json', 'a', 'unreadable/b']) {
      await app.stores.undelivered.create(name, '[]');
    }

    expect(await functions.get('stats')).toEqual({
      jsonBody: {
        thisInstance: {
          id: app.instance.id,
          since: '2026-01-01T12:00:00.000Z',
          counters: expect.objectContaining({ eventsReceived: 2, eventsInvalid: 1, jobsPutOff: 1 }),
          circuits: {},
        },
        allInstances: {
          countedAt: '2026-01-01T12:00:00.000Z',
          waiting: { rows: 1, isMore: false, earliestDueAt: '2026-01-01T12:00:00.000Z' },
          deadLetters: {
            pending: { invalid: 1, failed: 0, crash: 0, 'unknown-workflow': 0 },
            byReason: { invalid: 1 },
            isMore: false,
            oldestAt: '2026-01-01T12:00:00.000Z',
          },
          undelivered: { blobs: 2, unreadable: 1, isMore: false, oldestAt: '2026-01-01T12:00:00.000Z' },
          compared: [],
        },
      },
    });
  });

  it('given a queue of events, then the answer has the number and age of its messages; if a count fails, the code', async () => {
    const { functions, stores, clock } = start({ env: { INGRESS: 'queue' } });
    const { events, poison } = stores.eventQueues;
    await events.send('hidden', { inMs: 1000 });
    await poison.send('1');
    const counted = async () => ((await functions.get('stats')).jsonBody as { allInstances: object }).allInstances;

    expect(await counted()).toMatchObject({
      eventQueue: { messages: 1, poisoned: 1, oldestAt: '2026-01-01T12:00:00.000Z' },
    });
    clock.advance(60_000);
    events.length = async () => Promise.reject(new StorageError('forbidden', 'No.'));

    expect(await counted()).toMatchObject({ eventQueue: { error: 'forbidden' } });
  });

  it('given a workflow that fails, then the answer has the state of its circuit', async () => {
    const failing = defineWorkflow({
      name: 'failing',
      on: fhir('*'),
      handle() {
        throw new Error('down');
      },
    });
    const { functions, app } = start({ workflows: [failing] });
    await app.pipeline.deliver(
      Array.from({ length: 20 }, (_, n) => rawFhirEvent({ id: `e${n}`, resourceId: `r${n}` })),
    );

    expect(await functions.get('stats')).toMatchObject({
      jsonBody: {
        thisInstance: {
          circuits: { failing: { state: 'open', failuresInARow: 20, openUntil: '2026-01-01T12:00:10.000Z' } },
        },
      },
    });
  });

  it('given nothing to count, then the answer has null for each time', async () => {
    expect(await start().functions.get('stats')).toMatchObject({
      jsonBody: { allInstances: { waiting: { rows: 0, earliestDueAt: null }, deadLetters: { oldestAt: null } } },
    });
  });

  it('given a count of a moment ago, then the counters are new and the count is not', async () => {
    const { functions, app, clock } = start();
    await functions.get('stats');

    await app.pipeline.deliver([rawFhirEvent()]);
    clock.advance(59_999);
    const early = await functions.get('stats');
    clock.advance(1);
    const late = await functions.get('stats');

    expect(early.jsonBody).toMatchObject({
      thisInstance: { counters: { eventsReceived: 1 } },
      allInstances: { countedAt: '2026-01-01T12:00:00.000Z', waiting: { rows: 0 } },
    });
    expect(late.jsonBody).toMatchObject({
      allInstances: { countedAt: '2026-01-01T12:01:00.000Z', waiting: { rows: 1 } },
    });
  });

  it('given services that are compared, then the answer has the position of each', async () => {
    const host = 'w-f.fhir.azurehealthcareapis.com';
    const { functions, stores } = start({ env: { FHIR_HOSTS: host } });
    const row = { service: 'fhir', host, upTo: '2026-01-01T11:48:00.000Z', compared: 9, missing: 2, broughtIn: 2 };
    await stores.tables.create('reconcile');
    await stores.tables.commit('reconcile', 'continuous', [{ kind: 'insert', key: `fhir ${host}`, row }]);

    expect(await functions.get('stats')).toMatchObject({
      jsonBody: { allInstances: { compared: [{ ...row, behindSeconds: 720 }] } },
    });
  });

  it('given the account of undelivered events fails, then the answer has its code, and the rest', async () => {
    const list = async () => Promise.reject(new StorageError('forbidden', 'No.'));
    const { functions } = start({
      stores: { undelivered: { ...createMemoryBlobStore({ clock: createFakeClock() }), list } },
    });

    expect(await functions.get('stats')).toMatchObject({
      jsonBody: { allInstances: { waiting: { rows: 0 }, undelivered: { error: 'forbidden' } } },
    });
  });

  it('given storage fails, then 503 has its code, and the counters', async () => {
    const list = async () => Promise.reject(new StorageError('unreachable', 'Of https://account/secret.'));
    const { functions } = start({
      stores: { deadLetters: { ...createMemoryBlobStore({ clock: createFakeClock() }), list } },
    });

    const { status, jsonBody } = await functions.get('stats');

    expect(status).toBe(503);
    expect(jsonBody).toMatchObject({
      thisInstance: { counters: { eventsReceived: 0 } },
      allInstances: { error: 'unreachable' },
    });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });
});
