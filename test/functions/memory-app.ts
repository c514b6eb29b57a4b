import { readConfig } from '../../src/config.js';
import { composeApp } from '../../src/functions/compose.js';
import { systemRandom } from '../../src/functions/random.js';
import type { StoragePorts } from '../../src/pipeline/create-stores.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock, type FakeClock } from '../../src/testing/index.js';
import type { Workflow } from '../../src/workflow.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';

/** The whole app over stores in memory, and what a test needs to look into it. */
export function composeMemoryApp({
  workflows = [],
  stores: other = {},
  env = {},
  skewMs = 0,
  clock = createFakeClock(),
}: {
  workflows?: readonly Workflow[];
  stores?: Partial<StoragePorts>;
  env?: Readonly<Record<string, string>>;
  /** How far the clock of the app's machine is ahead of storage's. */
  skewMs?: number;
  /** The clock that several apps over the same stores share. */
  clock?: FakeClock;
} = {}) {
  const tables = createMemoryTableStore({ clock });
  const due = createMemoryQueueStore({ clock });
  const dueLong = createMemoryQueueStore({ clock });
  const eventQueues = { events: createMemoryQueueStore({ clock }), poison: createMemoryQueueStore({ clock }) };
  const stores = {
    tables,
    workflowTables: undefined,
    deadLetters: createMemoryBlobStore({ clock }),
    undelivered: createMemoryBlobStore({ clock }),
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
    random: systemRandom,
    telemetryWrite: (level, line) => lines.push(`${level} ${line}`),
    stores,
  });
  return { app, clock, stores: { ...stores, tables, due, dueLong, eventQueues }, lines };
}
