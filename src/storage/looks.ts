import type { TableStore } from './table-store.js';

/**
 * When the app last looked for due rows, whichever process did: one row in the table `looks`, aged by storage's clock.
 *
 * A process dies before the write: another looks. It dies after the write and before its look: the next look is due in
 * `everyMs`, as after any look. Two at once: one etag wins, the other does not look. Outcome unknown: the caller looks,
 * since two looks do no harm.
 */
export type Looks = {
  /** Takes the next look. 0: it is the caller's. Else in how many ms the next one is due. */
  take(everyMs: number): Promise<number>;
};

const TABLE = 'looks';
const PARTITION = 'looks';
const KEY = 'last';
/** Storage's Date is a whole second. */
const DATE_IS_PRECISE_TO_MS = 1000;

export function createLooks({ tables }: { tables: TableStore }): Looks {
  return { take };

  async function take(everyMs: number): Promise<number> {
    // A query, for a read of a row that is absent is a failed request.
    const { rows, now } = await tables.query(TABLE, { partition: PARTITION, limit: 1 });
    const [stored] = rows;
    const dueInMs = stored ? stored.modifiedAt.getTime() + everyMs - now.getTime() : 0;
    if (dueInMs > DATE_IS_PRECISE_TO_MS) return Math.min(dueInMs, everyMs);
    const row = { looks: Number(stored?.row.looks ?? 0) + 1 };
    const operation = stored
      ? ({ kind: 'replace', key: KEY, row, etag: stored.etag } as const)
      : ({ kind: 'insert', key: KEY, row } as const);
    const write = () => tables.commit(TABLE, PARTITION, [operation]);
    let written = await write();
    if (written.kind === 'no-table' && (await tables.create(TABLE)) === 'ready') written = await write();
    return written.kind === 'refused' ? everyMs : 0;
  }
}
