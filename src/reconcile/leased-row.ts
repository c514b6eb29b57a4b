import type { Random } from '../clock.js';
import { insertOrReplace } from '../storage/commit-creating.js';
import { findRow } from '../storage/read-rows.js';
import { type Row, StorageError, type Stored, type TableStore } from '../storage/table-store.js';
import { commitRow, RECONCILE_TABLE } from './reconcile-table.js';

// A row of the table `reconcile` that one process at a time works on. The column `holder` names the process; the lease
// lasts for LEASE_MS after storage's time of the last write (T1). All writes are conditional on the ETag.
//
//   process dies before the first write    the row is as it was: the next run takes the row
//   process dies after a write             the row is busy until the lease ends; the next run continues from that write
//   process dies before the release        the same
//   two processes at once                  storage refuses one of the two first writes: that process finds the row busy
//   process is suspended for long          another process has taken the row: the next write is refused, `lease-lost`
//   unknown outcome of a write             storage refuses the same write; the row names this process, which reads it

type Place = { readonly partition: string; readonly key: string };

/** A row that this process holds. `row`: its content when it was read, at the time `now` of storage's clock. */
export type LeasedRow = {
  readonly row: Row;
  readonly now: Date;
  /** Replaces the row, and renews the lease. @throws StorageError, with the code `lease-lost` if another process holds it */
  save(row: Row): Promise<void>;
  /** Replaces the row, and lets other processes take it. @throws StorageError, as `save` */
  release(row: Row): Promise<void>;
};

type Taken = { readonly kind: 'taken'; readonly leased: LeasedRow } | { readonly kind: 'busy' | 'absent' };

type Deps = { readonly tables: TableStore; readonly random: Random };

/** The lease outlasts a run and its last write. */
const LEASE_MS = 90_000;
const MAX_TRIES = 3;
const NOBODY = '';

/** Takes a row. If the row is absent, inserts the result of `first`; without `first`, returns `absent`. */
export async function takeRow(
  place: Place,
  first: undefined | ((now: Date) => Promise<Row>),
  deps: Deps,
): Promise<Taken> {
  const { tables, random } = deps;
  const { stored, now } = await findRow(tables, [RECONCILE_TABLE, place.partition], place.key);
  if (stored && isLeased(stored, now)) return { kind: 'busy' };
  const row = stored ? stored.row : await first?.(now);
  if (!row) return { kind: 'absent' };
  const holder = random.token();
  const written = { ...row, holder };
  const answer = await commitRow(tables, place.partition, insertOrReplace(place.key, written, stored?.etag));
  if (answer.kind !== 'done') return { kind: 'busy' };
  return { kind: 'taken', leased: leasedRow(place, { row, now, holder, etag: answer.etags[0] ?? '' }, tables) };
}

/** Returns whether a process holds the row. */
function isLeased({ row, modifiedAt }: Pick<Stored, 'row' | 'modifiedAt'>, now: Date): boolean {
  return (row.holder ?? NOBODY) !== NOBODY && now.getTime() < modifiedAt.getTime() + LEASE_MS;
}

type Held = { readonly row: Row; readonly now: Date; readonly holder: string; readonly etag: string };

function leasedRow(place: Place, held: Held, tables: TableStore): LeasedRow {
  let { etag } = held;
  return {
    row: held.row,
    now: held.now,
    save: (row) => write({ ...row, holder: held.holder }),
    release: (row) => write({ ...row, holder: NOBODY }),
  };

  async function write(row: Row): Promise<void> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const answer = await commitRow(tables, place.partition, { kind: 'replace', key: place.key, row, etag });
      if (answer.kind === 'done') {
        etag = answer.etags[0] ?? '';
        return;
      }
      const { stored } = await findRow(tables, [RECONCILE_TABLE, place.partition], place.key);
      if (stored?.row.holder !== held.holder) break;
      etag = stored.etag;
    }
    // `isRejected`: the same write cannot succeed later.
    throw new StorageError('lease-lost', 'Another process works on this row of the table reconcile.', {
      isRejected: true,
    });
  }
}
