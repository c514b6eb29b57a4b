import type { HealthEvent } from '../events/health-event.js';
import { type Address, ledgerPlaceOf, shardOfId } from './address.js';
import type { GroupCommit, WrittenOver } from './group-commit.js';
import { changedRow, claimedRow, decodeRow, type JobRecord, newRow } from './job-record.js';
import { pagesOf } from './pages.js';
import { type Expired, expireLedger } from './retention.js';
import type { Query, Read, Stored, TableStore } from './table-store.js';

export { FAILING_STAGES, type Failing, type JobRecord, type JobState, type Result } from './job-record.js';

/** A record in storage. `ageMs`: its age by storage's own clock. */
export type ReadRecord = { record: JobRecord; etag: string; ageMs: number };

/** The records of all jobs: a table for each day of events, and `ledgerundated` for events without a usable time. */
export type Ledger = {
  read(address: Address): Promise<ReadRecord | undefined>;
  /** Inserts the record if `how` has no `etag`, else changes that version (J2, C1). An insert stores `event` for look-ups. */
  write(address: Address, record: JobRecord, how: LedgerCondition): Promise<WrittenOver<ReadRecord>>;
  /** The records of all events with this id, in all tables. */
  find(eventIdDigest: string): Promise<FoundRecord[]>;
  /** Drops the tables of days that are over, and deletes such rows of `ledgerundated`. Returns both. */
  expire(now: Date, retentionDays: number): Promise<Expired>;
};

/** The condition and the time limit of a write. `untilMs` is on the monotonic clock. */
export type LedgerCondition = {
  etag?: string;
  event?: HealthEvent;
  /** The holder writes: properties that only a claim changes are left out. */
  isByHolder?: boolean;
  untilMs: number;
};

/** A record that a look-up found. Texts of `event` that the row lacks are ''; a missing `id` is its digest. */
export type FoundRecord = {
  /** The same for all records of one event. */
  eventAddress: string;
  workflow: string;
  record: JobRecord;
  event: { id: string; type: string; source: string; time: string };
};

const TABLES_AT_ONCE = 16;

/** Returns the ledger. Its records are written through `commit`, so that they share transactions. */
export function createLedger(deps: { tables: TableStore; commit: GroupCommit }): Ledger {
  const { tables, commit } = deps;
  return {
    async read(address) {
      const { table, partition, key } = ledgerPlaceOf(address);
      return decodeRead(await tables.read(table, partition, key));
    },

    async write(address, record, { etag, event, isByHolder, untilMs }) {
      const { table, partition, key } = ledgerPlaceOf(address);
      const written = await commit.write(table, partition, {
        operation:
          etag === undefined
            ? { kind: 'insert', key, row: newRow(record, event) }
            : { kind: 'merge', key, row: isByHolder ? changedRow(record) : claimedRow(record), etag },
        isOwn: (current) => current?.owner === record.owner && current?.write === record.write, // C5
        untilMs,
      });
      return written.kind === 'conflict' ? { kind: 'conflict', current: decodeRead(written.read) } : written;
    },

    async find(idDigest) {
      const partition = shardOfId(idDigest);
      const names = await tables.list('ledger');
      const found: FoundRecord[] = [];
      // After a backfill of years there are thousands of tables.
      for (let at = 0; at < names.length; at += TABLES_AT_ONCE) {
        await Promise.all(names.slice(at, at + TABLES_AT_ONCE).map(findIn));
      }
      return found;

      async function findIn(table: string): Promise<void> {
        const query: Query = { partition, from: `${idDigest}.`, to: `${idDigest}/`, limit: 1000 };
        for await (const { rows } of pagesOf((from) => tables.query(table, { ...query, ...from }))) {
          found.push(...rows.map((stored) => foundIn(table, stored)));
        }
      }
    },

    expire: (now, retentionDays) => expireLedger(tables, now, retentionDays),
  };
}

function decodeRead({ stored, now }: Read): ReadRecord | undefined {
  if (!stored) return undefined;
  return { record: decodeRow(stored.row), etag: stored.etag, ageMs: now.getTime() - stored.modifiedAt.getTime() };
}

function foundIn(table: string, { key, row }: Stored): FoundRecord {
  const { workflow, idDigest, eventAddress } = ledgerPlaceOf(`${table.slice('ledger'.length)}.${key}`);
  return {
    eventAddress,
    workflow,
    record: decodeRow(row),
    event: {
      id: String(row.id ?? idDigest),
      type: String(row.type ?? ''),
      source: String(row.source ?? ''),
      time: String(row.time ?? ''),
    },
  };
}
