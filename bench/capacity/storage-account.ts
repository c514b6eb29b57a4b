import { type Operation, StorageError, type TableStore } from '../../src/storage/table-store.js';
import type { Thread, VirtualTime } from './virtual-time.js';

/** Azure's documented targets, in entities a second. A read counts as one entity, a query as the rows it returns. */
export const ACCOUNT_PER_SECOND = 20_000;
export const PARTITION_PER_SECOND = 2_000;

export type StorageCounts = {
  /** Requests that were answered with success, or refused because of a row. */
  requests: number;
  reads: number;
  /** Rows that transactions wrote or deleted. */
  entities: number;
  /** The entities that count against the limits. */
  units: number;
  /** Requests that were answered with 503. */
  throttled: number;
};

/** A process that uses the account. `costMs`: its CPU time for a request. */
type Caller = { readonly thread: Thread; readonly costMs: number };

type AccountDeps = {
  readonly time: VirtualTime;
  readonly tables: TableStore;
  /** The time from a request to its answer, drawn anew for each request. */
  readonly latencyMs: () => number;
  readonly onCommit?: (table: string, operations: readonly Operation[]) => void;
};

/** A storage account that answers late, and with 503 beyond the limits of the account and of each partition. */
export class StorageAccount {
  readonly counts: StorageCounts = { requests: 0, reads: 0, entities: 0, units: 0, throttled: 0 };
  /** Units by partition, as `table/partition`. */
  readonly unitsOf = new Map<string, number>();
  readonly #deps: AccountDeps;
  readonly #account: Allowance;
  readonly #partitions = new Map<string, Allowance>();

  constructor(deps: AccountDeps) {
    this.#deps = deps;
    this.#account = new Allowance(ACCOUNT_PER_SECOND);
  }

  /** The account's tables as `caller` reaches them. */
  tablesFor(caller: Caller): TableStore {
    const { tables } = this.#deps;
    return {
      commit: (table, partition, operations) =>
        this.#call(caller, { place: `${table}/${partition}`, entities: operations.length }, async () => {
          const answer = await tables.commit(table, partition, operations);
          if (answer.kind !== 'no-table') this.counts.entities += operations.length;
          if (answer.kind === 'done') this.#deps.onCommit?.(table, operations);
          return answer;
        }),
      read: (table, partition, key) =>
        this.#call(caller, { place: `${table}/${partition}`, entities: 1 }, () => {
          this.counts.reads += 1;
          return tables.read(table, partition, key);
        }),
      query: (table, query) =>
        this.#call(caller, { place: `${table}/${query.partition ?? ''}`, entities: 1 }, async () => {
          this.counts.reads += 1;
          const page = await tables.query(table, query);
          this.#count(`${table}/${query.partition ?? ''}`, Math.max(0, page.rows.length - 1));
          return page;
        }),
      create: (table) => this.#call(caller, { place: 'tables', entities: 1 }, () => tables.create(table)),
      drop: (table) => this.#call(caller, { place: 'tables', entities: 1 }, () => tables.drop(table)),
      list: (prefix) => this.#call(caller, { place: 'tables', entities: 1 }, () => tables.list(prefix)),
    };
  }

  /** The call takes effect, or is refused, in the middle of its time. */
  #call<T>(
    { thread, costMs }: Caller,
    { place, entities }: { place: string; entities: number },
    effect: () => Promise<T>,
  ): Promise<T> {
    const { time, latencyMs } = this.#deps;
    const halfMs = latencyMs() / 2;
    return new Promise((resolve, reject) => {
      const answer = (run: () => void) => time.after(halfMs, () => thread.arrive(costMs, run));
      time.after(halfMs, () => {
        if (!this.#takes(place, entities)) {
          this.counts.throttled += 1;
          answer(() => reject(new StorageError('http-503', 'Storage could not write or read: http-503 (ServerBusy).')));
          return;
        }
        this.counts.requests += 1;
        effect().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #takes(place: string, entities: number): boolean {
    const { nowMs } = this.#deps.time;
    const partition = this.#allowanceOf(place);
    if (!partition.has(entities, nowMs) || !this.#account.has(entities, nowMs)) return false;
    this.#count(place, entities);
    return true;
  }

  #count(place: string, units: number): void {
    this.#allowanceOf(place).take(units);
    this.#account.take(units);
    this.counts.units += units;
    this.unitsOf.set(place, (this.unitsOf.get(place) ?? 0) + units);
  }

  #allowanceOf(place: string): Allowance {
    const known = this.#partitions.get(place);
    if (known) return known;
    const allowance = new Allowance(PARTITION_PER_SECOND);
    this.#partitions.set(place, allowance);
    return allowance;
  }
}

/** A limit per second. Unused entities gather for up to one second. */
class Allowance {
  readonly #perSecond: number;
  #left: number;
  #atMs = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  has(units: number, nowMs: number): boolean {
    this.#left = Math.min(this.#perSecond, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    return this.#left >= units;
  }

  /** A query can take more than is left: the number of its rows is known afterwards. */
  take(units: number): void {
    this.#left -= units;
  }
}
