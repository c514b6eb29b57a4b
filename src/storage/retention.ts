import { dayOfTable, SHARD_NAMES, tableOfDay } from './address.js';
import { LEDGER_PREFIX } from './app-tables.js';
import { queryPages } from './pages.js';
import type { Query, TableStore } from './table-store.js';

const UNDATED = tableOfDay('undated');
const DAY_MS = 24 * 3_600_000;
/** The time added to the retention, for senders' clocks that are off, and for events that arrive late. */
const GRACE_DAYS = 2;

/** The names of the tables that were dropped, and the number of rows that were deleted in `ledgerundated`. */
export type Expired = { tables: string[]; rows: number };

/**
 * Drops the ledger's tables of days that are over, if all their jobs were settled before the retention (J12). In
 * `ledgerundated`, which has no day, deletes the rows of such jobs one by one.
 */
export async function expireLedger(tables: TableStore, now: Date, retentionDays: number): Promise<Expired> {
  const before = new Date(now.getTime() - retentionDays * DAY_MS);
  const gone: string[] = [];
  let rows = 0;
  for (const table of await tables.list(LEDGER_PREFIX)) {
    if (table === UNDATED) rows += await expireRows(tables, before);
    else if (isOver(table, now, retentionDays) && !(await hasLiveRecord(tables, table, before))) {
      await tables.drop(table);
      gone.push(table);
    }
  }
  return { tables: gone, rows };
}

/** J12: returns whether a record is not settled or was written in the retention. Searches partitions in parallel. */
async function hasLiveRecord(tables: TableStore, table: string, before: Date): Promise<boolean> {
  let isFound = false;
  await Promise.all(
    SHARD_NAMES.map(async (partition) => {
      const query: Query = {
        partition,
        anyOf: [
          { property: 'state', is: 'ne', value: 'settled' },
          { property: 'timestamp', is: 'ge', value: before },
        ],
        limit: 1,
      };
      for await (const answer of queryPages(tables, table, query)) {
        isFound ||= answer.rows.length > 0;
        if (isFound) break;
      }
    }),
  );
  return isFound;
}

async function expireRows(tables: TableStore, before: Date): Promise<number> {
  let rows = 0;
  const query: Query = { anyOf: [{ property: 'state', is: 'eq', value: 'settled' }], limit: 1000 };
  for await (const answer of queryPages(tables, UNDATED, query)) {
    for (const stored of answer.rows) {
      if (stored.modifiedAt >= before) continue;
      // C1: a redrive that reopens the record now changes its etag, so the record stays.
      const { kind } = await tables.commit(UNDATED, stored.partition, [
        { kind: 'delete', key: stored.key, etag: stored.etag },
      ]);
      if (kind === 'done') rows += 1;
    }
  }
  return rows;
}

/** Returns whether the day of this table ended longer ago than the retention and the grace. */
function isOver(table: string, now: Date, retentionDays: number): boolean {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(dayOfTable(table)) ?? [];
  if (!year) return false; // not a table of the app
  const endsAt = Date.UTC(Number(year), Number(month) - 1, Number(day) + 1);
  return endsAt + (retentionDays + GRACE_DAYS) * DAY_MS <= now.getTime();
}
