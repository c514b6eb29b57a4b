import type { TableStore } from './table-store.js';

/** Creates the tables of `names` that do not exist. The first write creates a table that is being dropped now. */
export async function createMissingTables(tables: TableStore, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const found = await tables.list(name);
      if (!found.includes(name)) await tables.create(name);
    }),
  );
}
