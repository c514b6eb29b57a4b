import type { HealthEvent } from '../events/health-event.js';
import { type EventKey, keyOf } from '../events/key.js';
import { isNear, isReconciled, neighbouringDayOf } from '../events/reconciled.js';
import { type Address, ledgerPlaceOf, shardOfDigest, tableOfDay } from './address.js';
import { commitCreating } from './commit-creating.js';
import { indexEntry, isRecord } from './event-index.js';
import { readPrefix } from './read-rows.js';
import { type Operation, type Read, StorageError, type Stored, type TableStore } from './table-store.js';

/** A record with its address. `stored` is undefined if the job has no record yet: then the address is free. */
type Located = Read & { readonly address: Address };
/** A record that was found, with its address. */
type Found = Located & { readonly stored: Stored };
/** A place to look: one workflow's rows of a change, in the table of a day. */
type Range = { readonly day: string; readonly change: string; readonly workflow: string; readonly partition: string };
/** `workflow`: the only one whose records count. `likely`: a workflow that probably has a record, and is read first. */
export type KnownBy = { readonly workflow?: string | undefined; readonly likely?: string | undefined };
/** `jobs`: records and guards, by number. `adoptedBy`: ids of events, by the key of the adopted record. */
type Rows = { readonly jobs: readonly Stored[]; readonly adoptedBy: ReadonlyMap<string, string>; readonly now: Date };

/** The rows are read again if another process has changed them, which does not happen this often. */
const MAX_READS = 20;
const ADOPTED = '.adopted';

/**
 * The records of a change. After a hard delete the same version of a resource can occur again: then its change has several
 * records, one for each incarnation. The event of an incarnation and its entry in history have different ids.
 */
export class Incarnations {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /**
   * Returns the record of `event`, with its address.
   *
   * Q2: an event has the incarnation with its id; else it adopts one that reconciliation made near its time; else it
   *     takes the next number. A change of history has the incarnation near its time; else it takes the next number.
   * Q3: an adoption is a row of its own, so that the record and its etag stay as the holder knows them.
   *       process dies after the row      the event finds its adoption
   *       two events at once              one row is inserted; the other event reads again, and takes the next number
   * Q6: near midnight, the event of a change in history can have the day before or after. So reconciliation first
   *     inserts a guard into the table of that day. A process that finds the guard continues on the day that it names.
   *       process dies after the guard    an event continues on the day of history, and takes a number there
   *       the event comes first           the guard is refused, and reconciliation takes the event's record
   */
  async locate(address: Address, event: HealthEvent): Promise<Located> {
    const home = ledgerPlaceOf(address);
    const otherDay = isReconciled(event.id) ? neighbouringDayOf(event.time ?? '') : undefined;
    const onOtherDay = otherDay ? await this.#insertGuard({ ...home, day: otherDay }, home.day, event) : undefined;
    const located = onOtherDay ?? (await this.#locateIn(home, event));
    if (!located) throw new StorageError('ledger-busy', 'Others kept changing the records of a change.');
    return located;
  }

  /** Returns whether the change has a record near the time of `event`. */
  async knows(key: EventKey, event: HealthEvent, { workflow, likely }: KnownBy): Promise<boolean> {
    const { day, contentDigest: change } = key;
    const first = workflow ?? likely;
    if (first !== undefined) {
      const name = `${change}.${first}.0`; // a read of one row is cheaper than a query, and nearly always enough
      const { stored } = await this.#tables.read(tableOfDay(day), shardOfDigest(change), name);
      if (stored && isRecordNear(event, stored)) return true;
    }
    for (const each of daysOf(key, event))
      if ((await this.#recordsOn(each, { key, event, workflow })).length > 0) return true;
    return false;
  }

  /** Returns the records of the change near the time of `event`, of all workflows or of the named one. */
  async recordsNear(key: EventKey, event: HealthEvent, workflow?: string): Promise<Found[]> {
    const ofDays = daysOf(key, event).map((day) => this.#recordsOn(day, { key, event, workflow }));
    return (await Promise.all(ofDays)).flat();
  }

  async #recordsOn(
    day: string,
    { key, event, workflow }: { key: EventKey; event: HealthEvent; workflow: string | undefined },
  ): Promise<Found[]> {
    const { contentDigest: change } = key;
    const prefix = workflow === undefined ? `${change}.` : `${change}.${workflow}.`;
    const { rows, now } = await readPrefix(this.#tables, [tableOfDay(day), shardOfDigest(change)], prefix);
    return rows
      .filter((stored) => isRecordNear(event, stored))
      .map((stored) => ({ address: `${day}.${stored.key}`, stored, now }));
  }

  async #locateIn(home: Range, event: HealthEvent): Promise<Located | undefined> {
    let range = home;
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const rows = await this.#readRows(range);
      const own = ownOf(rows, event);
      if (!own) return locatedIn(range, rows, undefined);
      if (own.row.guard !== undefined) range = { ...range, day: String(own.row.guard) };
      else if (await this.#isOrBecomesOwn(event, { own, rows, range })) return locatedIn(range, rows, own);
    }
    return undefined;
  }

  /** Q6: returns the event's own record if the day of `range` has one; else inserts a guard, and returns undefined. */
  async #insertGuard(range: Range, homeDay: string, event: HealthEvent): Promise<Located | undefined> {
    const { id, time = '' } = event;
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const rows = await this.#readRows(range);
      const own = ownOf(rows, event);
      if (own) return own.row.guard === undefined ? locatedIn(range, rows, own) : undefined;
      const guard = { state: 'settled', guard: homeDay, id, time };
      if (await this.#insert(range, [{ kind: 'insert', key: nextKey(range, rows), row: guard }])) return undefined;
    }
    return undefined;
  }

  /** Adopts the found record for the event, unless it is its own. Returns false if another event has adopted it. */
  async #isOrBecomesOwn(
    event: HealthEvent,
    { own, rows, range }: { own: Stored; rows: Rows; range: Range },
  ): Promise<boolean> {
    const { id } = event;
    if (isReconciled(id) || own.row.id === id || rows.adoptedBy.get(own.key) === id) return true;
    const row = { state: 'settled', by: id };
    return this.#insert(range, [{ kind: 'insert', key: own.key + ADOPTED, row }, indexEntry(keyOf(event))]);
  }

  async #readRows({ day, change, workflow, partition }: Range): Promise<Rows> {
    const { rows: found, now } = await readPrefix(this.#tables, [tableOfDay(day), partition], `${change}.${workflow}.`);
    const adoptions = found.filter(({ key }) => key.endsWith(ADOPTED));
    return {
      jobs: found.filter((stored) => !adoptions.includes(stored)),
      adoptedBy: new Map(adoptions.map(({ key, row }) => [key.slice(0, -ADOPTED.length), String(row.by)])),
      now,
    };
  }

  /** Returns false if the row exists. */
  async #insert({ day, partition }: Range, operations: readonly Operation[]): Promise<boolean> {
    const { kind } = await commitCreating(this.#tables, [tableOfDay(day), partition], operations);
    if (kind === 'done' || kind === 'refused') return kind === 'done';
    throw new StorageError(kind, `The table of a day is ${kind === 'no-table' ? 'absent' : 'busy'}.`);
  }
}

/** Returns the days whose tables can hold the records of the event's change. */
function daysOf({ day }: EventKey, { time = '' }: HealthEvent): string[] {
  return [day, neighbouringDayOf(time)].filter((each) => each !== undefined);
}

function isRecordNear({ id, time = '' }: HealthEvent, { row }: Stored): boolean {
  return isRecord(row) && (row.id === id || isNear(String(row.time), time));
}

/** Q2: returns the row of the event's own incarnation, or one that it may adopt. */
function ownOf({ jobs, adoptedBy }: Rows, { id, time }: HealthEvent): Stored | undefined {
  const own = jobs.find(({ key, row }) => row.id === id || adoptedBy.get(key) === id);
  const near = jobs.filter(({ row }) => isNear(String(row.time), time));
  if (own || isReconciled(id)) return own ?? near[0];
  return near.find(({ key, row }) => isReconciled(String(row.id)) && !adoptedBy.has(key));
}

function locatedIn(range: Range, rows: Rows, stored: Stored | undefined): Located {
  return { address: `${range.day}.${stored?.key ?? nextKey(range, rows)}`, stored, now: rows.now };
}

/** Q1: returns the key with the next number, for an insert. */
function nextKey({ change, workflow }: Range, { jobs }: Rows): string {
  return `${change}.${workflow}.${jobs.length}`;
}
