import type { TableStore } from './table-store.js';

/** Creates those of `names` that are not there. A table that is being dropped is left to its first write. */
export async function createMissingTables(tables: TableStore, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const found = await tables.list(name);
      if (!found.includes(name)) await tables.create(name);
    }),
  );
}
