import { APP_TABLES } from '../storage/app-tables.js';
import { commitCreating } from '../storage/commit-creating.js';
import { type CommitAnswer, type Operation, StorageError, type TableStore } from '../storage/table-store.js';

/** Holds positions, and the requests that were made over HTTP. Each kind has a partition of its own. */
export const RECONCILE_TABLE = APP_TABLES.reconcile;

/** Writes a row, and creates the table before if it is missing. @throws StorageError */
export async function commitRow(tables: TableStore, partition: string, operation: Operation): Promise<CommitAnswer> {
  const answer = await commitCreating(tables, [RECONCILE_TABLE, partition], [operation]);
  if (answer.kind !== 'no-table' && answer.kind !== 'table-busy') return answer;
  throw new StorageError('table-busy', `The table ${RECONCILE_TABLE} is being dropped. Try again in a minute.`);
}
