import type { Clock, Random } from '../clock.js';
import { SHARD_NAMES } from './address.js';
import type { GroupCommit } from './group-commit.js';
import { pagesOf } from './pages.js';
import { type Query, StorageError, type Stored, type TableStore } from './table-store.js';
import {
  DUE_LENGTH,
  decodeWaiting,
  dueAtOf,
  LONG_SHARD_NAMES,
  type NewRow,
  propertiesOf,
  shardFor,
  shardOfRow,
  type WaitingRow,
} from './waiting-row.js';

export { SHARD_NAMES } from './address.js';
export type { NewRow, OfEvent, OfJob, WaitingRow } from './waiting-row.js';
export { dueAtOf, LONG_SHARD_NAMES, shardOfRow } from './waiting-row.js';

/**
 * The table `waiting`: jobs and events that run later. Partition: the shard of the event's id, with the prefix `long-`
 * for rows that the queue `due-long` runs. Key: `<due time>.<address>.<token>` for a job, `<due time>.delivery.<digest
 * of the event id>.<token>` for an event. The token is new for every row, so no two rows share a name (J5).
 *
 * A process that dies before `add` writes nothing. If it dies after `add`, or before `delete`, the row brings the job
 * again; if the job needs no run, the row is deleted (J4). A second `delete` finds no row.
 */
export type Waiting = {
  /** Returns the name of the new row, which the waiting record holds in `due`. */
  add(row: NewRow, untilMs: number): Promise<string>;
  delete(row: WaitingRow): Promise<void>;
  /** Rows of a shard that are due, by due time. `next`: there may be more rows after this one. */
  due(shard: string, now: Date, after?: string): Promise<{ rows: WaitingRow[]; next: string | undefined }>;
  /** The due time of a shard's first row; undefined if there is no row. */
  firstDueAt(shard: string): Promise<Date | undefined>;
  /** Returns whether the row that `add` has named still exists. */
  isThere(row: NewRow, name: string): Promise<boolean>;
  /** Rows for events with this id. Reads up to 20 pages of a shard. */
  find(eventIdDigest: string): Promise<WaitingRow[]>;
  /** The number of rows, counted up to `max`, and the earliest due time. */
  count(max: number): Promise<{ rows: number; isMore: boolean; earliestDueAt: Date | undefined }>;
};

const TABLE = 'waiting';
const PAGE = 1000;
const MAX_PAGES = 20;
const DELETE_WITHIN_MS = 10_000;

/** Returns the table `waiting`. `random` makes the tokens that keep the names of rows apart (J5). */
export function createWaiting(deps: {
  tables: TableStore;
  commit: GroupCommit;
  clock: Clock;
  random: Random;
}): Waiting {
  const { tables, commit, clock, random } = deps;
  return {
    async add(row, untilMs) {
      const { eventIdDigest: idDigest } = row.of;
      const subject = row.of.kind === 'job' ? row.of.address : `delivery.${idDigest}`;
      const name = `${row.dueAt.toISOString()}.${subject}.${random.token()}`; // J5
      const written = await commit.write(TABLE, shardFor(row.isLong, idDigest), {
        operation: {
          kind: 'insert',
          key: name,
          row: { kind: row.of.kind, event: row.event, idDigest, ...propertiesOf(row) },
        },
        isOwn: (current) => current !== undefined,
        untilMs,
      });
      if (written.kind !== 'written') {
        throw new StorageError(
          'waiting-busy',
          `A row could not be added to the table ${TABLE} (${written.kind}). A delivery fails, and Event Grid sends it again; a job runs again when its lease lapses.`,
        );
      }
      return name;
    },

    async delete(row) {
      await commit.write(TABLE, row.shard, {
        operation: { kind: 'delete', key: row.name },
        isOwn: (current) => current === undefined,
        untilMs: clock.monotonic() + DELETE_WITHIN_MS,
      });
    },

    async due(shard, now, after) {
      const query = { partition: shard, to: now.toISOString(), ...(after ? { after } : {}), limit: PAGE };
      for await (const { rows, next } of pagesOf((from) => tables.query(TABLE, { ...query, ...from }))) {
        const last = rows.at(-1);
        if (!last) continue; // an empty page may have a next page
        const isMore = next !== undefined || rows.length === PAGE;
        return { rows: rows.map(decodeWaiting), next: isMore ? last.key : undefined };
      }
      return { rows: [], next: undefined };
    },

    async firstDueAt(shard) {
      for await (const { rows } of pagesOf((from) => tables.query(TABLE, { partition: shard, limit: 1, ...from }))) {
        const [first] = rows;
        if (first) return dueAtOf(first.key);
      }
      return undefined;
    },

    async isThere(row, name) {
      const { stored } = await tables.read(TABLE, shardOfRow(row), name);
      return stored !== undefined;
    },

    async find(idDigest) {
      const found = await Promise.all(
        [shardFor(false, idDigest), shardFor(true, idDigest)].map(async (partition) => {
          const query: Query = { partition, anyOf: [{ property: 'idDigest', is: 'eq', value: idDigest }], limit: PAGE };
          const pages: Stored[][] = [];
          for await (const { rows } of pagesOf((from) => tables.query(TABLE, { ...query, ...from }))) {
            if (pages.push(rows) === MAX_PAGES) break;
          }
          return pages.flat().map(decodeWaiting);
        }),
      );
      return found.flat();
    },

    async count(max) {
      let rows = 0;
      let earliest: string | undefined;
      for (const shard of [...SHARD_NAMES, ...LONG_SHARD_NAMES]) {
        // After `max` rows only the first row of each shard matters: it may be the earliest of all.
        const limit = () => (rows < max ? PAGE : 1);
        for await (const answer of pagesOf((from) =>
          tables.query(TABLE, { partition: shard, limit: limit(), ...from }),
        )) {
          const due = answer.rows[0]?.key.slice(0, DUE_LENGTH);
          // A later version of the app may write names without a time.
          if (due && !Number.isNaN(Date.parse(due)) && (!earliest || due < earliest)) earliest = due;
          rows += answer.rows.length;
          if (rows >= max && due) break;
        }
      }
      return {
        rows: Math.min(rows, max),
        isMore: rows >= max,
        earliestDueAt: earliest ? new Date(earliest) : undefined,
      };
    },
  };
}
