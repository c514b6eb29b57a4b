import { systemClock } from '../src/clock.js';
import { readConfig } from '../src/config.js';
import { type App, composeApp } from '../src/functions/compose.js';
import { systemRandom } from '../src/functions/random.js';
import { createMemoryBlobStore } from '../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../src/storage/memory-table-store.js';
import type { TableStore } from '../src/storage/table-store.js';
import { createMemoryQueueStore } from '../test/storage/memory-queue-store.js';
import { noop } from './apps/noop.js';

/** Creates the app with the no-op workflow and stores in memory. */
export function createMemoryApp(tables: TableStore = createMemoryTableStore({ clock: systemClock })): App {
  return composeApp(readConfig({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' }), {
    workflows: [noop],
    clock: systemClock,
    random: systemRandom,
    telemetryWrite: () => {},
    stores: {
      tables,
      workflowTables: undefined,
      deadLetters: createMemoryBlobStore({ clock: systemClock }),
      undelivered: createMemoryBlobStore({ clock: systemClock }),
      due: createMemoryQueueStore({ clock: systemClock }),
      dueLong: createMemoryQueueStore({ clock: systemClock }),
    },
  });
}
