import { dayOf } from '../events/key.js';
import { commitCreating } from './commit-creating.js';
import { StorageError, type TableStore } from './table-store.js';

const TABLE = 'appstate';
const PARTITION = 'ledger';
const KEY = 'by-change';
const HOUR_MS = 3_600_000;

/**
 * Returns a function that gives the first day (yyyymmdd) whose jobs have addresses by change. Jobs of earlier days have
 * addresses by the event's id, where releases before 0.3 put them, so that an upgrade runs no job twice. All processes
 * agree, because the day is one row in the table `appstate`.
 *
 *   without tables of the ledger   every day: no release before 0.3 has run
 *   else                           the first day that begins in an hour or later: by then, no process of the earlier
 *                                  release runs any more
 *   dies before the insert         the next process decides anew; after it: the day is decided
 *   two processes at once          one insert wins, and both read the same row
 */
export function createFirstDayByChange(tables: TableStore): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= (await readDay()) ?? (await decideDay());
    return known;
  };

  /** A query, because a read of an absent row is a failed request. */
  async function readDay(): Promise<string | undefined> {
    const { rows } = await tables.query(TABLE, { partition: PARTITION, from: KEY, limit: 1 });
    return rows[0] && String(rows[0].row.firstDay);
  }

  async function decideDay(): Promise<string> {
    const { now } = await tables.query(TABLE, { limit: 1 });
    const isNew = (await tables.list('ledger')).length === 0;
    const firstDay = isNew ? '' : dayOf(new Date(now.getTime() + 25 * HOUR_MS).toISOString());
    const row = { firstDay };
    const written = await commitCreating(tables, [TABLE, PARTITION], [{ kind: 'insert', key: KEY, row }]);
    const decided = written.kind === 'done' ? firstDay : await readDay();
    if (decided === undefined) throw new StorageError('appstate-busy', `The table ${TABLE} could not be written.`);
    return decided;
  }
}
