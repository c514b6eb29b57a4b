import type { MemoryTableStore } from '../src/storage/memory-table-store.js';
import type { Row } from '../src/storage/table-store.js';

/** One write that took effect. `before` or `after` is undefined if the row did not exist then. */
export type RowWrite = {
  readonly table: string;
  readonly partition: string;
  readonly key: string;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
};

/** Calls `onWrite` for every write of every row of `tables`, in the order in which the writes take effect. */
export function watchWrites(tables: MemoryTableStore, onWrite: (write: RowWrite) => void): void {
  const commit = tables.commit.bind(tables);
  const rows = new Map<string, Row | undefined>();
  tables.commit = async (table, partition, operations, signal) => {
    const answer = await commit(table, partition, operations, signal); // answers come in the order of the writes
    if (answer.kind !== 'done') return answer;
    for (const operation of operations) {
      const { key } = operation;
      const place = JSON.stringify([table, partition, key]);
      const before = rows.get(place);
      const written = operation.kind === 'delete' ? undefined : operation.row;
      const after = operation.kind === 'merge' ? { ...before, ...written } : written;
      rows.set(place, after);
      onWrite({ table, partition, key, before, after });
    }
    return answer;
  };
}
