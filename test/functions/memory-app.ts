import type { Clock, Random } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { type App, composeApp } from '../../src/functions/compose.js';
import { systemRandom } from '../../src/functions/random.js';
import type { StoragePorts } from '../../src/pipeline/create-stores.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock, type FakeClock } from '../../src/testing/index.js';
import type { Workflow } from '../../src/workflow.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';

type Options = {
  workflows?: readonly Workflow[];
  stores?: Partial<StoragePorts>;
  env?: Readonly<Record<string, string | undefined>>;
  /** How far the clock of the app's machine is ahead of storage's. */
  skewMs?: number;
  random?: Random;
};

/** The whole app over stores in memory, and what a test needs to look into it. Several apps may share a clock. */
export function composeMemoryApp({ clock = createFakeClock(), ...options }: Options & { clock?: FakeClock } = {}) {
  return { ...composeMemoryAppAt(clock, options), clock };
}

/** The same for a clock that is not a fake one. */
export function composeMemoryAppAt(
  clock: Clock,
  { workflows = [], stores: other = {}, env = {}, skewMs = 0, random = systemRandom }: Options,
) {
  const tables = createMemoryTableStore({ clock });
  const deadLetters = createMemoryBlobStore({ clock });
  const undelivered = createMemoryBlobStore({ clock });
  const due = createMemoryQueueStore({ clock });
  const dueLong = createMemoryQueueStore({ clock });
  const eventQueues = { events: createMemoryQueueStore({ clock }), poison: createMemoryQueueStore({ clock }) };
  const stores = {
    tables,
    workflowTables: undefined,
    deadLetters,
    undelivered,
    due,
    dueLong,
    ...(env.INGRESS === 'queue' && { eventQueues }),
    ...other,
  };
  const lines: string[] = [];
  const config = readConfig({ EventStorage: 'UseDevelopmentStorage=true', ...env });
  const app = composeApp(config, {
    workflows,
    clock: skewMs === 0 ? clock : { ...clock, now: () => new Date(clock.now().getTime() + skewMs) },
    random,
    telemetryWrite: (level, line) => lines.push(`${level} ${line}`),
    stores,
  });
  return {
    app,
    stores: { ...stores, tables, deadLetters, undelivered, due, dueLong, eventQueues },
    lines,
    runDueRows: () => runDueRows(app, [due, dueLong]),
  };
}

async function runDueRows({ pipeline }: App, queues: ReturnType<typeof createMemoryQueueStore>[]): Promise<void> {
  await pipeline.wake();
  for (const queue of queues) {
    for (let text = queue.take(); text !== undefined; text = queue.take()) await pipeline.redeliver(JSON.parse(text));
  }
}
