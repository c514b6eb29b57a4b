import { prepareStorage } from '../../src/functions/prepare-storage.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { watched } from '../pipeline/memory-app.js';
import { type CallInfo, type Fault, faultyBlobs, faultyQueue, faultyTables } from '../storage/faults.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { composeMemoryApp } from './memory-app.js';

describe('when storage is prepared', () => {
  it('given an empty account, then the queues, tables and containers of triggers and timers are made', async () => {
    const { app, calls } = start();

    await prepareStorage(app);

    expect(calls.sort()).toEqual([
      ...['blobs prepare', 'due create', 'due-long create'],
      ...['appstate', 'instances', 'looks', 'waiting', 'watermarks'].map((table) => `tables create ${table}`),
      ...['appstate', 'instances', 'looks', 'waiting', 'watermarks'].map((table) => `tables list ${table}`),
      'undelivered prepare',
    ]);
  });

  it('given a service that is compared, then the tables of that timer are made, too', async () => {
    const { app, calls } = start({ env: { FHIR_HOSTS: 'w-f.fhir.azurehealthcareapis.com' } });

    await prepareStorage(app);

    expect(calls).toEqual(expect.arrayContaining(['tables create reconcile']));
  });

  it('given tables that exist, then they are not made again, because storage would answer 409', async () => {
    const { app, calls } = start();
    await prepareStorage(app);
    calls.splice(0);

    await prepareStorage(app);

    expect(calls.filter((call) => call.startsWith('tables create'))).toEqual([]);
  });

  it('given a queue of events, then the queue and its poison queue, which a timer reads, are made', async () => {
    const { app, calls } = start({ env: { INGRESS: 'queue' } });

    await prepareStorage(app);

    expect(calls).toEqual(expect.arrayContaining(['events create', 'events-poison create', 'undelivered prepare']));
  });

  it('given a separate account for undelivered events, then no request goes to it', async () => {
    const { app, calls } = start({ env: { UndeliveredStorage: 'UseDevelopmentStorage=true', INGRESS: 'queue' } });

    await prepareStorage(app);

    expect(calls.filter((call) => /undelivered|events/.test(call))).toEqual([]);
  });

  it('given a part of storage refuses, then a line says so, and the rest is made', async () => {
    const { app, calls, lines } = start({
      plan: ({ method, on }) => (method + on === 'create' ? 'fail-before' : 'ok'),
    });

    await prepareStorage(app);

    expect(lines).toEqual(['error {"what":"storage-not-prepared","code":"queues","errorCode":"undeclared-code"}']);
    expect(calls).toContain('tables create waiting');
  });

  it('given storage does not answer, then the app starts after 3 s', async () => {
    const { app, clock } = start({ plan: () => 'never' });

    const prepared = watched(prepareStorage(app));
    clock.advance(2999);
    await new Promise(setImmediate);
    expect(prepared.state).toBe('open');
    clock.advance(1);
    await prepared.promise;
  });
});

function start({
  plan = () => 'ok',
  env = {},
}: {
  plan?: (call: CallInfo) => Fault;
  env?: Record<string, string>;
} = {}) {
  const calls: string[] = [];
  const clock = createFakeClock();
  const noting = (name: string) => (call: CallInfo) => {
    calls.push(`${name} ${call.method} ${call.on}`.trim());
    return plan(call);
  };
  const stores = {
    tables: faultyTables(createMemoryTableStore({ clock }), noting('tables')),
    deadLetters: faultyBlobs(createMemoryBlobStore({ clock }), noting('blobs')),
    undelivered: faultyBlobs(createMemoryBlobStore({ clock }), noting('undelivered')),
    due: faultyQueue(createMemoryQueueStore({ clock }), noting('due')),
    dueLong: faultyQueue(createMemoryQueueStore({ clock }), noting('due-long')),
    ...(env.INGRESS === 'queue' && {
      eventQueues: {
        events: faultyQueue(createMemoryQueueStore({ clock }), noting('events')),
        poison: faultyQueue(createMemoryQueueStore({ clock }), noting('events-poison')),
      },
    }),
  };
  return { calls, ...composeMemoryApp({ stores, env }) };
}
