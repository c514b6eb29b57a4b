import type { Clock, Random } from '../clock.js';
import { APP_TABLES } from './app-tables.js';
import type { GroupCommit } from './group-commit.js';
import { pagesOf, queryPages } from './pages.js';
import { type Query, type Row, StorageError, type Stored, type TableStore } from './table-store.js';
import {
  DUE_LENGTH,
  DUE_SHARD_NAMES,
  decodeJobs,
  decodeWaiting,
  dueAtOf,
  encodeJobs,
  encodeWaiting,
  JOBS_SHARD,
  type JobItem,
  LONG_SHARD_NAMES,
  type MultiJobRow,
  type NewRow,
  type StoredJob,
  shardFor,
  shardOfRow,
  type WaitingRow,
} from './waiting-row.js';

export type { DeliveryItem, JobItem, MultiJobRow, NewRow, StoredJob, WaitingRow } from './waiting-row.js';
export { DUE_SHARD_NAMES, dueAtOf, JOBS_SHARD, LONG_SHARD_NAMES, shardOfRow, splitIntoRows } from './waiting-row.js';

/**
 * The table `waiting`: jobs and events that run later. Partition: the shard of the event's id, with the prefix `long-`
 * for rows that the queue `due-long` runs. Key: `<due time>.<address>.<token>` for a job, `<due time>.delivery.<digest
 * of the event id>.<token>` for an event. The token is new for every row, so no two rows share a name (J5). Rows of
 * several jobs have a partition of their own (J15), with keys `<due time>.jobs.<token>`.
 *
 * A process that dies before `add` writes nothing. If it dies after `add`, or before `delete`, the row brings the job
 * again; if the job needs no run, the row is deleted (J4). A second `delete` finds no row.
 */
export type Waiting = {
  /** Returns the name of the new row, which the waiting record holds in `due`. */
  add(row: NewRow, untilMs: number): Promise<string>;
  /** Adds a row of several jobs of one workflow; see `splitIntoRows`. */
  addJobs(jobs: readonly StoredJob[], how: { dueAt: Date; untilMs: number }): Promise<void>;
  delete(row: Pick<WaitingRow, 'shard' | 'name'>): Promise<void>;
  /** Returns due rows of a shard, by due time. If there may be more, `next` is the `after` of the next call. */
  due(shard: string, now: Date, after?: string): Promise<{ rows: WaitingRow[]; next: string | undefined }>;
  /** Returns due rows of several jobs, like `due`. */
  dueJobs(now: Date, after?: string): Promise<{ rows: MultiJobRow[]; next: string | undefined }>;
  /**
   * Gives the row another due time, and so another name. `count` still counts the row as due since its first due time.
   * Returns undefined if another process has moved the row first.
   */
  moveJobs(row: MultiJobRow, dueAt: Date): Promise<MultiJobRow | undefined>;
  /** Returns the due time of a shard's first row; undefined if there is no row. */
  firstDueAt(shard: string): Promise<Date | undefined>;
  /** Returns whether the row with the name that `add` returned still exists. */
  isThere(row: NewRow, name: string): Promise<boolean>;
  /** Returns rows for events with this id, one for each job. Reads up to 20 pages of a shard. */
  find(eventIdDigest: string): Promise<WaitingRow[]>;
  /** Counts the jobs and events in rows, up to about `max`. Returns their number, and the earliest due time. */
  count(max: number): Promise<{ rows: number; isMore: boolean; earliestDueAt: Date | undefined }>;
};

const TABLE = APP_TABLES.waiting;
const PAGE = 1000;
/** A page of rows of several jobs, which have some 75 KB each. */
const JOBS_PAGE = 16;
const MAX_PAGES = 20;
const DELETE_WITHIN_MS = 10_000;

type Deps = {
  readonly tables: TableStore;
  readonly commit: GroupCommit;
  readonly clock: Clock;
  /** Makes the tokens that keep the names of rows apart (J5). */
  readonly random: Random;
};

/** Returns the table `waiting`. */
export function createWaiting({ tables, commit, clock, random }: Deps): Waiting {
  /** J5: returns a new name for each row. */
  const nameOf = (dueAt: Date, subject: string) => `${dueAt.toISOString()}.${subject}.${random.token()}`;
  return {
    async add(row, untilMs) {
      const { dueAt, item } = row;
      const name = nameOf(dueAt, item.kind === 'job' ? item.address : `delivery.${item.eventIdDigest}`);
      await insert(commit, shardOfRow(row), { key: name, row: encodeWaiting(row), untilMs });
      return name;
    },
    addJobs: (jobs, { dueAt, untilMs }) =>
      insert(commit, JOBS_SHARD, { key: nameOf(dueAt, 'jobs'), row: encodeJobs(jobs), untilMs }),
    moveJobs: (row, dueAt) => moveJobs(tables, row, { name: nameOf(dueAt, 'jobs'), dueAt }),
    async delete(row) {
      await commit.write(TABLE, row.shard, {
        operation: { kind: 'delete', key: row.name },
        isOwn: (current) => current === undefined,
        untilMs: clock.monotonic() + DELETE_WITHIN_MS,
      });
    },
    async due(shard, now, after) {
      const { rows, next } = await duePage(tables, { partition: shard, limit: PAGE, after }, now);
      return { rows: rows.map(decodeWaiting), next };
    },
    async dueJobs(now, after) {
      const { rows, next } = await duePage(tables, { partition: JOBS_SHARD, limit: JOBS_PAGE, after }, now);
      return { rows: rows.map(decodeJobs), next };
    },
    firstDueAt: (shard) => firstDueAt(tables, shard),
    isThere: async (row, name) => (await tables.read(TABLE, shardOfRow(row), name)).stored !== undefined,
    find: (idDigest) => findRows(tables, idDigest),
    count: (max) => countRows(tables, max),
  };
}

async function insert(
  commit: GroupCommit,
  shard: string,
  { key, row, untilMs }: { key: string; row: Row; untilMs: number },
): Promise<void> {
  const written = await commit.write(TABLE, shard, {
    operation: { kind: 'insert', key, row },
    isOwn: (current) => current !== undefined,
    untilMs,
  });
  if (written.kind === 'written') return;
  throw new StorageError(
    'waiting-busy',
    `A row could not be added to the table ${TABLE} (${written.kind}). A delivery fails, and Event Grid sends it again; a job runs again when its lease lapses.`,
  );
}

async function moveJobs(
  tables: TableStore,
  row: MultiJobRow,
  { name, dueAt }: { name: string; dueAt: Date },
): Promise<MultiJobRow | undefined> {
  const stored = { ...row.stored, dueSince: row.stored.dueSince ?? row.dueAt.toISOString() };
  // If the outcome is unknown, the row has one of both names. Of two processes at once, storage refuses the second.
  const answer = await tables.commit(TABLE, JOBS_SHARD, [
    { kind: 'delete', key: row.name },
    { kind: 'insert', key: name, row: stored },
  ]);
  return answer.kind === 'done' ? { ...row, name, dueAt, stored } : undefined;
}

async function duePage(
  tables: TableStore,
  { after, ...base }: { partition: string; limit: number; after: string | undefined },
  now: Date,
): Promise<{ rows: Stored[]; next: string | undefined }> {
  const query = { ...base, to: now.toISOString(), ...(after ? { after } : {}) };
  for await (const { rows, next } of queryPages(tables, TABLE, query)) {
    const last = rows.at(-1);
    if (!last) continue; // an empty page may have a next page
    const isMore = next !== undefined || rows.length === base.limit;
    return { rows, next: isMore ? last.key : undefined };
  }
  return { rows: [], next: undefined };
}

async function firstDueAt(tables: TableStore, shard: string): Promise<Date | undefined> {
  for await (const { rows } of queryPages(tables, TABLE, { partition: shard, limit: 1 })) {
    const [first] = rows;
    if (first) return dueAtOf(first.key);
  }
  return undefined;
}

async function findRows(tables: TableStore, idDigest: string): Promise<WaitingRow[]> {
  const anyOf: Query['anyOf'] = [{ property: 'idDigest', is: 'eq', value: idDigest }];
  const shards = [shardFor(false, idDigest), shardFor(true, idDigest)];
  const [ofSeveral, ...ofOne] = await Promise.all([
    readPages(tables, { partition: JOBS_SHARD, limit: JOBS_PAGE }),
    ...shards.map((partition) => readPages(tables, { partition, anyOf, limit: PAGE })),
  ]);
  const rows = (ofSeveral ?? []).flatMap((stored) => singleJobRowsOf(decodeJobs(stored)));
  return [...ofOne.flat().map(decodeWaiting), ...rows.filter(({ item }) => item.eventIdDigest === idDigest)];
}

async function readPages(tables: TableStore, query: Query): Promise<Stored[]> {
  const pages: Stored[][] = [];
  for await (const { rows } of queryPages(tables, TABLE, query)) {
    if (pages.push(rows) === MAX_PAGES) break;
  }
  return pages.flat();
}

async function countRows(tables: TableStore, max: number): ReturnType<Waiting['count']> {
  let rows = 0;
  let earliest: string | undefined;
  for (const shard of [...DUE_SHARD_NAMES, ...LONG_SHARD_NAMES]) {
    // After `max` rows only the first row of each shard matters: it may be the earliest of all.
    const limit = () => (rows < max ? (shard === JOBS_SHARD ? JOBS_PAGE : PAGE) : 1);
    for await (const answer of pagesOf((from) => tables.query(TABLE, { partition: shard, limit: limit(), ...from }))) {
      const dues = answer.rows.map(dueSinceOf).filter((due) => !Number.isNaN(Date.parse(due)));
      for (const due of dues) if (!earliest || due < earliest) earliest = due;
      for (const { row } of answer.rows) rows += Number(row.count ?? 1);
      if (rows >= max && dues.length > 0) break;
    }
  }
  return { rows: Math.min(rows, max), isMore: rows >= max, earliestDueAt: earliest ? new Date(earliest) : undefined };
}

/** Returns since when a row is due. A later version of the app may write names without a time. */
function dueSinceOf({ key, row }: Stored): string {
  return String(row.dueSince ?? key.slice(0, DUE_LENGTH));
}

/** Returns a row for each job of a row of several. */
export function singleJobRowsOf({ shard, name, dueAt, jobs }: MultiJobRow): (WaitingRow & { item: JobItem })[] {
  return jobs.map(({ address, eventIdDigest, json }) => {
    return { shard, name, dueAt, isLong: false, event: json, item: { kind: 'job', address, eventIdDigest } };
  });
}
