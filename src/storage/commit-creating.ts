import type { CommitAnswer, Operation, Row, TableStore } from './table-store.js';

/** Returns the operation that writes a row: over its version `etag`, or as a new row without an `etag`. */
export function insertOrReplace(key: string, row: Row, etag: string | undefined): Operation {
  return etag === undefined ? { kind: 'insert', key, row } : { kind: 'replace', key, row, etag };
}

/** Commits to a table, and creates the table if it is absent. `no-table` and `table-busy`: the table is being dropped. */
export async function commitCreating(
  tables: TableStore,
  [table, partition]: readonly [table: string, partition: string],
  operations: readonly Operation[],
): Promise<CommitAnswer> {
  const commit = () => tables.commit(table, partition, operations);
  const answer = await commit();
  const isCreated = answer.kind === 'no-table' && (await tables.create(table)) === 'ready';
  return isCreated ? commit() : answer;
}

/** Creates the tables of `names` that do not exist. A table that is being dropped now is created later, by its first write. */
export async function createMissingTables(tables: TableStore, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const found = await tables.list(name);
      if (!found.includes(name)) await tables.create(name);
    }),
  );
}
