import { clockOf, VirtualTime } from '../../bench/capacity/virtual-time.js';
import { createStores } from '../../src/pipeline/create-stores.js';
import { createPipeline } from '../../src/pipeline/pipeline.js';
import type { Wakeup } from '../../src/pipeline/wakeups.js';
import { CallLimit } from '../../src/storage/bounded.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { readerOfNothing } from '../../src/testing/content.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { rawEvent } from './memory-app.js';

const EVENTS = 1000;
const POST_SIZE = 25;
/** The least load that reaches the best rate, and five times that load. */
const BEST = 4;
const OVERLOAD = 20;
/** Storage handles one call after the other, each in this time. */
const REQUEST_MS = 5;
const ENTITY_MS = 2;

const names = ['one', 'other'] as const;
const workflows = names.map((name) =>
  defineWorkflow({
    name,
    on: fhir('*'),
    concurrency: 32,
    ordering: 'latest',
    handle: ({ id }, { tables }) => tables(`of${name}`).change(id.slice(-1), id, () => ({ id })),
  }),
);

/** Sends POSTs, some at a time, in virtual time, until each job has completed. */
async function run(postsAtOnce: number) {
  const time = new VirtualTime();
  const clock = clockOf(time);
  const memory = createMemoryTableStore({ clock });
  const random = { number: () => 0.5, token: createToken() };
  const callLimit = new CallLimit(3000);
  const queues = { due: createMemoryQueueStore({ clock }), dueLong: createMemoryQueueStore({ clock }) };
  const blobs = { deadLetters: createMemoryBlobStore({ clock }), undelivered: createMemoryBlobStore({ clock }) };
  const ports = { tables: oneAfterTheOther(memory, time), workflowTables: undefined, ...blobs, ...queues };
  const { stores } = createStores(ports, { clock, random, callLimit });
  const settings = { deadlineMs: 15_000, leaseMs: 60_000, workspaces: undefined, setting: () => undefined };
  const telemetry = createTelemetry(() => {});
  const deps = { clock, random, workflows, stores, queues, callLimit, readerFor: readerOfNothing, settings, telemetry };
  const pipeline = createPipeline(deps);

  let sent = 0;
  const nextPost = () => Array.from({ length: POST_SIZE }, () => rawEvent({ id: `event-${sent++}` }));
  const sendAll = async () => {
    while (sent < EVENTS) {
      const post = nextPost();
      while (
        !(await pipeline.deliver(post).then(
          () => true,
          () => false,
        ))
      ); // as Event Grid does
    }
  };
  const takeMessages = () => {
    time.after(1000, takeMessages);
    for (let text = queues.due.take(); text !== undefined; text = queues.due.take()) {
      void pipeline.redeliver(JSON.parse(text) as Wakeup);
    }
  };
  takeMessages();
  pipeline.start();
  for (let n = 0; n < postsAtOnce; n += 1) void sendAll();
  await time.run(1_000_000, () => telemetry.counters.jobsCompleted === EVENTS * names.length);
  return { perSecond: (EVENTS * 1000) / time.nowMs, seconds: time.nowMs / 1000, ...telemetry.counters };
}

function oneAfterTheOther(tables: TableStore, time: VirtualTime): TableStore {
  let freeAtMs = 0;
  const after = async <T>(ms: number, call: () => Promise<T>): Promise<T> => {
    freeAtMs = Math.max(freeAtMs, time.nowMs) + ms;
    await time.sleep(freeAtMs - time.nowMs);
    return call();
  };
  return {
    ...tables,
    commit: (table, partition, operations) =>
      after(REQUEST_MS + ENTITY_MS * operations.length, () => tables.commit(table, partition, operations)),
    read: (...of) => after(REQUEST_MS + ENTITY_MS, () => tables.read(...of)),
    query: (...of) => after(REQUEST_MS + ENTITY_MS, () => tables.query(...of)),
  };
}

function createToken(): () => string {
  let tokens = 0;
  return () => String(++tokens).padStart(16, '0');
}

describe('when a process gets more than its storage takes by the deadline', () => {
  it('given five times the load, then it completes at least 90 % of the best rate, and no handler uses up a try', async () => {
    const best = await run(BEST);
    const overload = await run(OVERLOAD);

    expect([best.jobsPutOff, best.jobsRetried, overload.jobsRetried]).toEqual([0, 0, 0]);
    expect(overload.jobsPutOff).toBeGreaterThan(EVENTS / 2);
    expect(overload.perSecond / best.perSecond).toBeGreaterThanOrEqual(0.9);
  });
});
