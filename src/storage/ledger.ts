import type { HealthEvent } from '../events/health-event.js';
import type { Address } from './address.js';
import { placeOf, shardOfId } from './address.js';
import type { GroupCommit } from './group-commit.js';
import type { Read, Row, Stored, TableStore, Value } from './table-store.js';

/**
 * The ledger: one record a job.
 *
 *   state     what holds                                            what ends it
 *   running   `owner` works on it under a lease of `leaseMs`,       settle, wait, or the lapse of the lease
 *             renewed by every write
 *     failing it is beyond help; nothing but the dead letter        settle
 *             of this stage may come of it
 *   waiting   the row `due` in `waiting` will bring it back         a claim by who has that row
 *   settled   completed, superseded or dead                         dead only: a redrive with a higher number
 *
 * `owner` and `write` are new for every write, so that its writer recognises it when the answer was lost.
 * Records only gain properties: writes merge, and a state of a later version of the app is `unknown` to this one.
 */
export type JobRecord = {
  state: JobState;
  owner: string;
  write: number;
  tries: number;
  crashes: number;
  redrives: number;
  /** Of the first claim, or of the claim that reopened it. */
  firstTryAt: string;
  errorCode: string;
  /** Since when a process that had this job did not know its workflow; '' where that is not so. */
  unknownSince: string;
};

export type JobState =
  | { kind: 'running'; leaseMs: number; failing?: Failing }
  | { kind: 'waiting'; due: string }
  | { kind: 'settled'; result: Result }
  | { kind: 'unknown'; name: string };

export type Result = 'completed' | 'superseded' | 'dead';
/** The stage of the dead letter. It is recorded first, so that it cannot change. */
export type Failing = 'failed' | 'crash' | 'unknown-workflow';

/** A record as storage holds it, and by storage's own clock how long ago it was written. */
export type ReadRecord = { record: JobRecord; etag: string; ageMs: number };

export type LedgerWrite =
  | { kind: 'written'; etag: string }
  | { kind: 'conflict'; current: ReadRecord | undefined }
  | { kind: 'table-busy' };

export type Ledger = {
  read(address: Address): Promise<ReadRecord | undefined>;
  /** Inserts where there is no `etag`; `event` says whose job it is, for people who ask (an insert needs it). */
  write(address: Address, record: JobRecord, how: LedgerHow): Promise<LedgerWrite>;
  /** All records, in whatever table, of the events that have this id. */
  find(eventIdDigest: string): Promise<FoundRecord[]>;
  /** Drops the tables of days that are over, and from `ledgerundated` the rows; see DESIGN's retention. Returns what went. */
  expire(now: Date, retentionDays: number): Promise<{ tables: string[]; rows: number }>;
};

export type LedgerHow = {
  etag?: string;
  event?: HealthEvent;
  /** By who has claimed it: what only a claim changes is not sent again. */
  isHeld?: boolean;
  untilMs: number;
};

export type FoundRecord = {
  /** The same for all records of one event. */
  eventKey: string;
  workflow: string;
  record: JobRecord;
  event: { id: string; type: string; source: string; time: string };
};

const UNDATED = 'ledgerundated';
const DAY_MS = 24 * 3_600_000;
/** Beyond the end of its day and the retention: the clocks of senders, and events that were long on their way. */
const GRACE_DAYS = 2;
const TABLES_AT_ONCE = 16;

export function createLedger(deps: { tables: TableStore; commit: GroupCommit }): Ledger {
  const { tables, commit } = deps;
  return {
    async read(address) {
      const { table, partition, key } = placeOf(address);
      return decodeRead(await tables.read(table, partition, key));
    },

    async write(address, record, { etag, event, isHeld, untilMs }) {
      const { table, partition, key } = placeOf(address);
      const written = await commit.write(table, partition, {
        operation:
          etag === undefined
            ? { kind: 'insert', key, row: newRow(record, event) }
            : { kind: 'merge', key, row: isHeld ? changedRow(record) : claimedRow(record), etag },
        isOwn: (current) => current?.owner === record.owner && current?.write === record.write,
        untilMs,
      });
      return written.kind === 'conflict' ? { kind: 'conflict', current: decodeRead(written.read) } : written;
    },

    async find(idDigest) {
      const partition = shardOfId(idDigest);
      const names = await tables.list('ledger');
      const found: FoundRecord[] = [];
      // After a backfill over years there are thousands of tables: some at a time.
      for (let at = 0; at < names.length; at += TABLES_AT_ONCE) {
        await Promise.all(names.slice(at, at + TABLES_AT_ONCE).map(findIn));
      }
      return found;

      async function findIn(table: string): Promise<void> {
        for (let page: string | undefined, first = true; first || page; first = false) {
          const answer = await tables.query(table, {
            partition,
            from: `${idDigest}.`,
            to: `${idDigest}/`,
            limit: 1000,
            ...(page ? { page } : {}),
          });
          found.push(...answer.rows.map((stored) => foundIn(table, stored)));
          page = answer.next;
        }
      }
    },

    async expire(now, retentionDays) {
      const before = new Date(now.getTime() - retentionDays * DAY_MS);
      const gone: string[] = [];
      let rows = 0;
      for (const table of await tables.list('ledger')) {
        if (table === UNDATED) rows += await expireRows(before);
        else if (isOver(table, now, retentionDays) && !(await hasLife(table, before))) {
          await tables.drop(table);
          gone.push(table);
        }
      }
      return { tables: gone, rows };
    },
  };

  async function hasLife(table: string, before: Date): Promise<boolean> {
    for (let page: string | undefined, first = true; first || page; first = false) {
      const answer = await tables.query(table, {
        anyOf: [
          { property: 'state', is: 'ne', value: 'settled' },
          { property: 'timestamp', is: 'ge', value: before },
        ],
        limit: 1,
        ...(page ? { page } : {}),
      });
      if (answer.rows.length > 0) return true;
      page = answer.next;
    }
    return false;
  }

  async function expireRows(before: Date): Promise<number> {
    let rows = 0;
    for (let page: string | undefined, first = true; first || page; first = false) {
      const answer = await tables.query(UNDATED, {
        anyOf: [{ property: 'state', is: 'eq', value: 'settled' }],
        limit: 1000,
        ...(page ? { page } : {}),
      });
      for (const stored of answer.rows) {
        if (stored.modifiedAt >= before) continue;
        // Conditional: a redrive that reopens the record at this moment keeps it.
        const { kind } = await tables.commit(UNDATED, stored.partition, [
          { kind: 'delete', key: stored.key, etag: stored.etag },
        ]);
        if (kind === 'done') rows += 1;
      }
      page = answer.next;
    }
    return rows;
  }
}

/** Whether the day of this table ended more than the retention and a grace ago. */
function isOver(table: string, now: Date, retentionDays: number): boolean {
  const [, year, month, day] = /^ledger(\d{4})(\d\d)(\d\d)$/.exec(table) ?? [];
  if (!year) return false; // not of ours: leave it alone
  const endsAt = Date.UTC(Number(year), Number(month) - 1, Number(day) + 1);
  return endsAt + (retentionDays + GRACE_DAYS) * DAY_MS <= now.getTime();
}

// Three ways to write a record, since each property costs on the wire. A property that is not there reads as empty.

/** The first claim: there is nothing that would have to be cleared. */
function newRow(
  { state, owner, write, redrives, firstTryAt, ...rest }: JobRecord,
  event: HealthEvent | undefined,
): Row {
  const row: Record<string, Value> = { ...stateRow(state), owner, write, firstTryAt };
  if (redrives > 0) row.redrives = redrives;
  if (rest.tries > 0 || rest.crashes > 0 || rest.unknownSince !== '') Object.assign(row, rest);
  if (event) Object.assign(row, { id: event.id, type: event.type, source: event.source, time: event.time ?? '' });
  return row;
}

/** A claim of a record that is there. */
function claimedRow({ state, ...rest }: JobRecord): Row {
  return { ...stateRow(state), ...rest };
}

/** A write of the holder. */
function changedRow({ state, owner, write, tries, errorCode, unknownSince }: JobRecord): Row {
  return { ...stateRow(state), owner, write, tries, errorCode, unknownSince };
}

/** Of each state only what is its own: the others' properties may still be there, and are not looked at. */
function stateRow(state: JobState): Row {
  switch (state.kind) {
    case 'running':
      return { state: 'running', leaseMs: state.leaseMs, failing: state.failing ?? '' };
    case 'waiting':
      return { state: 'waiting', due: state.due };
    case 'settled':
      return { state: 'settled', result: state.result };
    case 'unknown':
      return { state: state.name };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(state satisfies never)}`);
  }
}

function decodeRead({ stored, now }: Read): ReadRecord | undefined {
  if (!stored) return undefined;
  return { record: decode(stored.row), etag: stored.etag, ageMs: now.getTime() - stored.modifiedAt.getTime() };
}

function decode(row: Row): JobRecord {
  const text = (name: string) => String(row[name] ?? '');
  const count = (name: string) => Number(row[name] ?? 0);
  return {
    state: decodeState(row),
    owner: text('owner'),
    write: count('write'),
    tries: count('tries'),
    crashes: count('crashes'),
    redrives: count('redrives'),
    firstTryAt: text('firstTryAt'),
    errorCode: text('errorCode'),
    unknownSince: text('unknownSince'),
  };
}

const RESULTS: readonly unknown[] = ['completed', 'superseded', 'dead'] satisfies Result[];
export const FAILING_STAGES: readonly Failing[] = ['failed', 'crash', 'unknown-workflow'];

function decodeState(row: Row): JobState {
  const { state, leaseMs, failing, due, result } = row;
  if (state === 'running' && typeof leaseMs === 'number' && !failing) return { kind: 'running', leaseMs };
  if (state === 'running' && typeof leaseMs === 'number' && (FAILING_STAGES as readonly unknown[]).includes(failing)) {
    return { kind: 'running', leaseMs, failing: failing as Failing };
  }
  if (state === 'waiting' && typeof due === 'string') return { kind: 'waiting', due };
  if (state === 'settled' && RESULTS.includes(result)) return { kind: 'settled', result: result as Result };
  return { kind: 'unknown', name: String(state) };
}

function foundIn(table: string, { key, row }: Stored): FoundRecord {
  const { workflow, idDigest } = placeOf(`${table.slice('ledger'.length)}.${key}`);
  return {
    eventKey: `${table}.${key.slice(0, key.length - workflow.length - 1)}`,
    workflow,
    record: decode(row),
    event: {
      id: String(row.id ?? idDigest),
      type: String(row.type ?? ''),
      source: String(row.source ?? ''),
      time: String(row.time ?? ''),
    },
  };
}
