import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';

/** Returns an empty table store in memory. */
export const memoryTables = () => createMemoryTableStore({ clock: createFakeClock() });

/** Both implementations of a table store, for `describe.each`. */
export const TABLE_STORES: readonly { readonly on: string; readonly create: () => TableStore }[] = [
  { on: 'memory', create: memoryTables },
  {
    on: 'Azurite',
    create: () =>
      createAzureTableStore({ kind: 'connection-string', connectionString: process.env.TEST_STORAGE ?? '' }),
  },
];
