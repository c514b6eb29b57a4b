import { dayOf } from '../events/key.js';
import { APP_TABLES, LEDGER_PREFIX } from './app-tables.js';
import { commitCreating } from './commit-creating.js';
import { findRow } from './read-rows.js';
import { StorageError, type TableStore } from './table-store.js';

const TABLE = APP_TABLES.state;
const PARTITION = 'ledger';
const KEY = 'by-change';
const HOUR_MS = 3_600_000;

/**
 * Returns a function that gives the first day (yyyymmdd) whose jobs have addresses by change. Jobs of earlier days have
 * addresses by the event's id, where releases before 0.3 put them, so that an upgrade runs no job twice. All processes
 * agree, because the day is one row in the table `appstate`.
 *
 *   no table of the ledger exists    every day (''): no release before 0.3 has run
 *   a table exists                   the first day that begins in an hour or later: by then, no process of the earlier
 *                                    release runs any more
 *   process dies before the insert   the next process decides
 *   process dies after the insert    the day is decided
 *   two processes at once            storage refuses one insert, and both processes use the same row
 */
export function createFirstDayByChange(tables: TableStore): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= (await readDay()) ?? (await decideDay());
    return known;
  };

  async function readDay(): Promise<string | undefined> {
    const { stored } = await findRow(tables, [TABLE, PARTITION], KEY);
    return stored && String(stored.row.firstDay);
  }

  async function decideDay(): Promise<string> {
    const { now } = await tables.query(TABLE, { limit: 1 });
    const isNew = (await tables.list(LEDGER_PREFIX)).length === 0;
    const firstDay = isNew ? '' : dayOf(new Date(now.getTime() + 25 * HOUR_MS).toISOString());
    const row = { firstDay };
    const written = await commitCreating(tables, [TABLE, PARTITION], [{ kind: 'insert', key: KEY, row }]);
    const decided = written.kind === 'done' ? firstDay : await readDay();
    if (decided === undefined) throw new StorageError('appstate-busy', `The table ${TABLE} could not be written.`);
    return decided;
  }
}
