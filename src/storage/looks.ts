import { APP_TABLES } from './app-tables.js';
import { commitCreating, insertOrReplace } from './commit-creating.js';
import { findRow } from './read-rows.js';
import type { TableStore } from './table-store.js';

/**
 * The time of the last look for due rows by any process (W1): one row in the table `looks`, aged by storage's clock.
 *
 * If a process dies before the write, another process looks. If it dies between write and look, the next look is due
 * after `everyMs`, as after any look. If two processes write at once, storage refuses one write, and that process does
 * not look. If the outcome is unknown, the caller looks, because two looks do no harm.
 */
export type Looks = {
  /** Returns 0 if the caller looks now; else the number of ms until the next look is due. */
  take(everyMs: number): Promise<number>;
};

const TABLE = APP_TABLES.looks;
const PARTITION = 'looks';
const KEY = 'last';
/** The precision of storage's Date, which has no fraction of a second. */
const DATE_PRECISION_MS = 1000;

export function createLooks({ tables }: { tables: TableStore }): Looks {
  return { take };

  async function take(everyMs: number): Promise<number> {
    const { stored, now } = await findRow(tables, [TABLE, PARTITION], KEY);
    const dueInMs = stored ? stored.modifiedAt.getTime() + everyMs - now.getTime() : 0;
    if (dueInMs > DATE_PRECISION_MS) return Math.min(dueInMs, everyMs);
    const row = { looks: Number(stored?.row.looks ?? 0) + 1 };
    const written = await commitCreating(tables, [TABLE, PARTITION], [insertOrReplace(KEY, row, stored?.etag)]);
    return written.kind === 'refused' ? everyMs : 0;
  }
}
