import { digest } from '../digest.js';
import type { HealthEvent } from '../events/health-event.js';
import { type EventKey, keyOf } from '../events/key.js';
import { type Address, addressById, addressOf, ledgerPlaceOf } from './address.js';
import { EventIndex, type FoundRecord } from './event-index.js';
import { createFirstDayByChange } from './first-day-by-change.js';
import type { GroupCommit, WrittenOver } from './group-commit.js';
import { Incarnations, type KnownBy } from './incarnations.js';
import { changedRow, claimedRow, decodeRow, type JobRecord, newRow } from './job-record.js';
import { type Expired, expireLedger } from './retention.js';
import type { Read, Stored, TableStore } from './table-store.js';

export type { FoundRecord } from './event-index.js';
export { FAILING_STAGES, type Failing, type JobRecord, type JobState, type Result } from './job-record.js';

/** A record as read. `ageMs`: its age by storage's clock. `eventId`: the id of the event that made the record. */
export type ReadRecord = { record: JobRecord; etag: string; ageMs: number; eventId?: string };

/**
 * The records of all jobs: a table for each day of events, and `ledgerundated` for events without a usable time.
 *
 *   key                                    row
 *   <change>.<workflow>.<number>           the record of a job, or a guard (Q6)
 *   <change>.<workflow>.<number>.adopted   the id of the event that has adopted a record of reconciliation (Q3)
 *   !<id>.<change>                         the entry that leads from the digest of an event's id to its change
 *   <id>.<change>.<workflow>               the record of a job whose address is by its event's id
 */
export type Ledger = {
  /** Returns the function that gives jobs their addresses. Rejects if storage fails, and can be called again. */
  open(): Promise<AddressOf>;
  /** The first day (yyyymmdd) whose jobs are known by their changes, '' for every day; see first-day-by-change.ts. */
  firstDayByChange(): Promise<string>;
  read(address: Address): Promise<ReadRecord | undefined>;
  /**
   * Inserts the record if `how` has no `etag`, else changes that version (J2, C1). With `event`, `find` finds the record:
   * an insert stores the event in the record, and any write adds the entry of the event if this process has not yet.
   */
  write(address: Address, record: JobRecord, how: LedgerCondition): Promise<WrittenOver<ReadRecord>>;
  /** For a job whose `address` has the record of another incarnation: returns the job's own record (Q2, Q3). */
  locate(address: Address, event: HealthEvent): Promise<Located>;
  /**
   * Returns whether the change of `event` has a record near its time, for any workflow or for the named one. Does not
   * look at days before `firstDayByChange`.
   */
  knows(event: HealthEvent, by?: KnownBy): Promise<boolean>;
  /** Returns the records that `knows` looks for, of all workflows or of the named one. */
  recordsNear(event: HealthEvent, workflow?: string): Promise<FoundNear[]>;
  /** Returns the records of all events with this id, from all tables. */
  find(eventIdDigest: string): Promise<FoundRecord[]>;
  /** Returns the records of all jobs of these changes (`contentDigest`), by a query for each change and table. */
  findChanges(changes: readonly string[]): Promise<FoundRecord[]>;
  /** Ends the retention of settled jobs: drops tables, and deletes rows of `ledgerundated` (J12). */
  expire(now: Date, retentionDays: number): Promise<Expired>;
};

type FoundNear = { address: Address; current: ReadRecord };

/** Returns the address under which a job is looked for first. */
export type AddressOf = (key: EventKey, workflow: string) => Address;

/** `current` is undefined if the job has no record yet. */
type Located = { address: Address; current: ReadRecord | undefined };

/** The condition and the time limit of a write. `untilMs` is on the monotonic clock. */
export type LedgerCondition = {
  etag?: string;
  event?: HealthEvent;
  /** The digest of the id of `event`, if the caller has computed it. */
  eventIdDigest?: string;
  /** Set for a write by the holder, which leaves out the properties that only a claim changes. */
  isByHolder?: boolean;
  untilMs: number;
};

type LedgerDeps = { readonly tables: TableStore; readonly commit: GroupCommit };

/** Returns the ledger. Its records are written through `commit`, so that they share transactions. */
export function createLedger(deps: LedgerDeps): Ledger {
  const { tables, commit } = deps;
  const firstDayByChange = createFirstDayByChange(tables);
  const index = new EventIndex(deps);
  const incarnations = new Incarnations(tables);
  return {
    async open() {
      const first = await firstDayByChange();
      return (key, workflow) => (key.day >= first ? addressOf : addressById)(key, workflow);
    },
    firstDayByChange,

    async read(address) {
      const { table, partition, key } = ledgerPlaceOf(address);
      return decodeRead(await tables.read(table, partition, key));
    },
    write: (address, record, how) => writeRecord({ address, record }, how, { commit, index }),

    async locate(address, event) {
      const located = await incarnations.locate(address, event);
      return { address: located.address, current: decodeRead(located) };
    },
    knows: (event, by = {}) => incarnations.knows(keyOf(event), event, by),
    async recordsNear(event, workflow) {
      const found = await incarnations.recordsNear(keyOf(event), event, workflow);
      return found.map(({ address, stored, now }) => ({ address, current: decodeStored(stored, now) }));
    },

    find: (eventIdDigest) => index.find(eventIdDigest),
    findChanges: (changes) => index.findChanges(changes),
    expire: (now, retentionDays) => expireLedger(tables, now, retentionDays),
  };
}

async function writeRecord(
  { address, record }: { readonly address: Address; readonly record: JobRecord },
  { etag, event, eventIdDigest, isByHolder, untilMs }: LedgerCondition,
  { commit, index }: { readonly commit: GroupCommit; readonly index: EventIndex },
): Promise<WrittenOver<ReadRecord>> {
  const place = ledgerPlaceOf(address);
  const writing = commit.write(place.table, place.partition, {
    operation:
      etag === undefined
        ? { kind: 'insert', key: place.key, row: newRow(record, event) }
        : { kind: 'merge', key: place.key, row: isByHolder ? changedRow(record) : claimedRow(record), etag },
    isOwn: (current) => current?.owner === record.owner && current?.write === record.write, // C5: this very write
    untilMs,
  });
  let isWanted = true;
  if (event && place.number !== undefined) {
    const id = eventIdDigest ?? digest(event.id);
    const key = { day: place.day, id, contentDigest: place.change };
    index.addEntry(key, { untilMs, isWanted: () => isWanted }); // in the same transaction
  }
  const written = await writing;
  isWanted = written.kind === 'written';
  return written.kind === 'conflict' ? { kind: 'conflict', current: decodeRead(written.read) } : written;
}

function decodeRead({ stored, now }: Read): ReadRecord | undefined {
  return stored && decodeStored(stored, now);
}

function decodeStored({ row, etag, modifiedAt }: Stored, now: Date): ReadRecord {
  const eventId = row.id === undefined ? undefined : String(row.id);
  return {
    record: decodeRow(row),
    etag,
    ageMs: now.getTime() - modifiedAt.getTime(),
    ...(eventId !== undefined && { eventId }),
  };
}
