import { DIGEST_LENGTH, digest } from '../digest.js';
import type { EventKey } from '../events/key.js';
import { createRecent } from '../recent.js';
import { type Address, dayOfTable, ledgerPlaceOf, SHARD_NAMES, shardOfDigest, tableOfDay } from './address.js';
import { LEDGER_PREFIX } from './app-tables.js';
import type { GroupCommit, Write } from './group-commit.js';
import { decodeRow, type JobRecord } from './job-record.js';
import { readPrefix } from './read-rows.js';
import type { Operation, Row, Stored, TableStore } from './table-store.js';

/** A record found by its event or its change. Texts of `event` that the row lacks are ''; a missing `id` is its digest. */
export type FoundRecord = {
  /** The same for all records of one event. */
  identity: string;
  address: Address;
  workflow: string;
  record: JobRecord;
  /** The time of the last write, by storage's clock. For a settled record: when the job settled. */
  writtenAt: Date;
  event: { id: string; type: string; source: string; time: string };
};

/** The write of a record, whose event needs an entry as long as the record's write is wanted. */
type Caller = Pick<Required<Write>, 'untilMs' | 'isWanted'>;

type Deps = { readonly tables: TableStore; readonly commit: GroupCommit };

const REMEMBERED = 10_000;
/** Each table needs a query for each partition. */
const TABLES_AT_ONCE = 4;

/** Finds the records of an event by its id, which their addresses do not hold. */
export class EventIndex {
  readonly #deps: Deps;
  /** By change, the event whose entry this process has written last: almost every change has one event. */
  readonly #written = createRecent<string, string>(REMEMBERED);
  /** The callers of each entry that is being written, by its key. */
  readonly #pending = new Map<string, Caller[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Adds the entry of an event to the next writes of its partition, unless this process has written the entry. The write
   * is sent as long as one of its callers wants it. If it fails, `find` misses the event until the next write of one
   * of its jobs. Nothing else depends on the entry.
   */
  addEntry(key: EventKey, caller: Caller): void {
    if (this.#written.get(key.contentDigest) === key.id) return;
    const entry = indexEntry(key);
    const callers = this.#pending.get(entry.key);
    if (callers) callers.push(caller);
    else void this.#writeEntry(key, entry, [caller]);
  }

  /** Returns the records of all events with this id, from all tables. */
  find(eventIdDigest: string): Promise<FoundRecord[]> {
    return this.#findInAll((table) => this.#findIn(table, eventIdDigest));
  }

  /** Returns the records of all jobs of these changes, by a query for each change and table. */
  findChanges(changes: readonly string[]): Promise<FoundRecord[]> {
    return this.#findInAll(async (table) => {
      const rows = await Promise.all(changes.map((change) => this.#rowsFrom(table, shardOfDigest(change), change)));
      return rows.flat().flatMap((stored) => (isRecord(stored.row) ? foundIn(table, stored) : []));
    });
  }

  /** Writes an entry. If that fails, writes it again for callers that came meanwhile and have more time. */
  async #writeEntry(key: EventKey, operation: Operation, callers: Caller[]): Promise<void> {
    this.#pending.set(operation.key, callers);
    const untilMs = Math.max(...callers.map((caller) => caller.untilMs));
    const isWanted = () => callers.some((caller) => caller.isWanted());
    const write = { operation, isOwn: () => false, untilMs, isWanted };
    try {
      const { kind } = await this.#deps.commit.write(tableOfDay(key.day), shardOfDigest(key.contentDigest), write);
      if (kind === 'written') this.#written.set(key.contentDigest, key.id);
      this.#pending.delete(operation.key);
    } catch {
      this.#pending.delete(operation.key);
      const later = callers.filter((caller) => caller.untilMs > untilMs && caller.isWanted());
      if (later.length > 0) await this.#writeEntry(key, operation, later);
    }
  }

  async #findInAll(search: (table: string) => Promise<FoundRecord[]>): Promise<FoundRecord[]> {
    const names = await this.#deps.tables.list(LEDGER_PREFIX);
    const found: FoundRecord[] = [];
    // After a backfill of years there are thousands of tables.
    for (let at = 0; at < names.length; at += TABLES_AT_ONCE)
      found.push(...(await Promise.all(names.slice(at, at + TABLES_AT_ONCE).map(search))).flat());
    return found;
  }

  async #findIn(table: string, idDigest: string): Promise<FoundRecord[]> {
    const byId = this.#rowsFrom(table, shardOfDigest(idDigest), idDigest);
    const byChange = SHARD_NAMES.map(async (partition) => {
      const entries = await this.#rowsFrom(table, partition, `!${idDigest}`);
      const changes = entries.map(({ key }) => key.slice(-DIGEST_LENGTH));
      const records = await Promise.all(changes.map((change) => this.#rowsFrom(table, partition, change)));
      return records.flatMap((rows) => ownOf(rows, idDigest));
    });
    const rows = await Promise.all([byId, ...byChange]);
    return rows.flat().map((stored) => foundIn(table, stored, idDigest));
  }

  /** Returns the rows whose key begins with `start` and a dot. */
  async #rowsFrom(table: string, partition: string, start: string): Promise<Stored[]> {
    return (await readPrefix(this.#deps.tables, [table, partition], `${start}.`)).rows;
  }
}

/** Returns the entry of an event. Its state is `settled`, so that it does not keep the table of its day (J12). */
export function indexEntry({ id, contentDigest }: EventKey): Operation {
  return { kind: 'upsert', key: `!${id}.${contentDigest}`, row: { state: 'settled' } };
}

/** Returns those rows of a change that are records which the event with this id has made or adopted. */
function ownOf(rows: readonly Stored[], idDigest: string): Stored[] {
  const isOwn = (id: unknown) => typeof id === 'string' && digest(id) === idDigest;
  const adopted = new Set(rows.filter(({ row }) => isOwn(row.by)).map(({ key }) => key.replace(/\.adopted$/, '')));
  return rows.filter(({ key, row }) => isRecord(row) && (isOwn(row.id) || adopted.has(key)));
}

/** Returns whether a row of a change is a record: neither a guard nor an adoption. */
export function isRecord(row: Row): boolean {
  return row.guard === undefined && row.by === undefined;
}

function foundIn(
  table: string,
  { key, row, modifiedAt }: Stored,
  idDigest = digest(String(row.id ?? '')),
): FoundRecord {
  const address = `${dayOfTable(table)}.${key}`;
  const { workflow, change } = ledgerPlaceOf(address);
  return {
    identity: `${idDigest}.${change}`,
    address,
    workflow,
    record: decodeRow(row),
    writtenAt: modifiedAt,
    event: {
      id: String(row.id ?? idDigest),
      type: String(row.type ?? ''),
      source: String(row.source ?? ''),
      time: String(row.time ?? ''),
    },
  };
}
