import { firstNotBefore } from '../binary-search.js';
import type { Clock } from '../clock.js';
import { fullSecond } from './storage-clock.js';
import { checkCommit, checkQuery, checkTableName } from './table-rules.js';
import type { CommitAnswer, Condition, Operation, Page, Query, Row, Stored, TableStore } from './table-store.js';

/** The time for which the name of a dropped table cannot be used: Azure's documented minimum. */
const BUSY_MS = 40_000;

/** `inspect` returns every row of a table, in order, for tests; none if there is no such table. */
export type MemoryTableStore = TableStore & { inspect(table: string): Stored[] };

type Table = Map<string, Partition>;

/**
 * Returns Table Storage in memory, with its rules, refusals and clock. A commit takes effect within the call; its
 * answer arrives later. As in Table Storage, `now` is a full second and `modifiedAt` is finer.
 */
export function createMemoryTableStore({ clock }: { clock: Pick<Clock, 'now'> }): MemoryTableStore {
  const tables = new Map<string, Table>();
  const busyUntilMs = new Map<string, number>();
  let writes = 0;
  const newVersion = () => {
    writes += 1;
    return { etag: `W/"${writes}"`, modifiedAt: clock.now() };
  };
  const isBusy = (name: string) => clock.now().getTime() < (busyUntilMs.get(name) ?? 0);

  return {
    async commit(name, partition, operations): Promise<CommitAnswer> {
      checkCommit(name, partition, operations);
      const table = tables.get(name);
      if (table === undefined) return { kind: isBusy(name) ? 'table-busy' : 'no-table' };
      const rows = table.get(partition) ?? new Partition(partition);
      table.set(partition, rows);
      const refused = rows.refusalOf(operations);
      return refused ?? { kind: 'done', etags: rows.write(operations, newVersion), now: fullSecond(clock) };
    },
    async read(name, partition, key) {
      checkTableName(name);
      return { stored: tables.get(name)?.get(partition)?.get(key), now: fullSecond(clock) };
    },
    async query(name, query): Promise<Page> {
      checkTableName(name);
      checkQuery(query);
      return { ...pageOf(tables.get(name) ?? new Map(), query), now: fullSecond(clock) };
    },
    async create(name) {
      checkTableName(name);
      if (isBusy(name)) return 'busy';
      if (!tables.has(name)) tables.set(name, new Map());
      return 'ready';
    },
    async drop(name) {
      checkTableName(name);
      if (tables.delete(name)) busyUntilMs.set(name, clock.now().getTime() + BUSY_MS);
    },
    list: async (prefix) => [...tables.keys()].filter((name) => name.startsWith(prefix)).sort(),
    inspect: (name) => pageOf(tables.get(name) ?? new Map(), { limit: Number.POSITIVE_INFINITY }).rows,
  };
}

type Version = Pick<Stored, 'etag' | 'modifiedAt'>;

class Partition {
  readonly #name: string;
  readonly #rows = new Map<string, Stored>();
  /** Keys in order, also of deleted rows. Keys in `#added` are not in `#sorted` yet: `keys` sorts them in. */
  #sorted: string[] = [];
  #added: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  get(key: string): Stored | undefined {
    return this.#rows.get(key);
  }

  /** Returns the refusal of a transaction; undefined if `write` may write it. */
  refusalOf(operations: readonly Operation[]): CommitAnswer | undefined {
    for (const [index, operation] of operations.entries()) {
      const why = refusal(operation, this.#rows.get(operation.key));
      if (why !== undefined) return { kind: 'refused', index, why };
    }
    return undefined;
  }

  /** Writes a transaction, and returns the etags of its rows. */
  write(operations: readonly Operation[], newVersion: () => Version): string[] {
    const etags: string[] = [];
    for (const operation of operations) {
      if (!this.#rows.has(operation.key)) this.#added.push(operation.key);
      etags.push(this.#writeRow(operation, newVersion));
    }
    // Leaves out the keys of deleted rows before they outnumber the rows.
    if (this.#added.length + this.#sorted.length > 2 * this.#rows.size + 1_000) this.keys();
    return etags;
  }

  #writeRow(operation: Operation, newVersion: () => Version): string {
    const { kind, key } = operation;
    if (kind === 'delete') {
      this.#rows.delete(key);
      return '';
    }
    const isMerge = kind === 'merge' || kind === 'upsert';
    const row = isMerge ? { ...this.#rows.get(key)?.row, ...operation.row } : { ...operation.row };
    const version = newVersion();
    this.#rows.set(key, { partition: this.#name, key, row, ...version });
    return version.etag;
  }

  /** Returns the keys in order, also keys of rows that were deleted since the last sort. */
  keys(): readonly string[] {
    if (this.#added.length > 0) {
      // The sort merges two ordered runs. A key that was deleted and inserted again occurs twice.
      const keys = this.#sorted.concat(this.#added.sort()).sort();
      this.#sorted = keys.filter((key, at) => key !== keys[at - 1] && this.#rows.has(key));
      this.#added = [];
    }
    return this.#sorted;
  }
}

function refusal(operation: Operation, stored: Stored | undefined): 'exists' | 'changed' | 'absent' | undefined {
  if (operation.kind === 'upsert') return undefined;
  if (operation.kind === 'insert') return stored === undefined ? undefined : 'exists';
  if (stored === undefined) return 'absent';
  return operation.etag === undefined || operation.etag === stored.etag ? undefined : 'changed';
}

/** A page token is the end of the page before: partition and key, with a line feed between, which no key contains. */
function pageOf(table: Table, query: Query): { rows: Stored[]; next: string | undefined } {
  const [pagePartition, pageKey] = query.page?.split('\n') ?? [];
  const partitions = query.partition === undefined ? [...table.keys()].sort() : [query.partition];
  const rows: Stored[] = [];

  for (const partition of partitions) {
    const part = table.get(partition);
    if (part === undefined || (pagePartition !== undefined && partition < pagePartition)) continue;
    const keys = part.keys();
    const afterPage = partition === pagePartition ? pageKey : undefined;
    for (let at = firstIndex(keys, query, afterPage); at < keys.length; at++) {
      const key = keys[at] as string;
      if (query.to !== undefined && key >= query.to) break;
      const stored = part.get(key);
      if (stored === undefined || query.anyOf?.some((condition) => fulfils(stored, condition)) === false) continue;
      const last = rows.at(-1);
      if (rows.length >= query.limit && last) return { rows, next: `${last.partition}\n${last.key}` };
      rows.push(stored);
    }
  }
  return { rows, next: undefined };
}

function firstIndex(keys: readonly string[], { from = '', after }: Query, afterPage: string | undefined): number {
  const isBefore = (key: string) =>
    key < from || (after !== undefined && key <= after) || (afterPage !== undefined && key <= afterPage);
  return firstNotBefore(0, keys.length, (at) => isBefore(keys[at] as string));
}

function fulfils({ row, modifiedAt }: Stored, condition: Condition): boolean {
  switch (condition.is) {
    case 'eq':
      return propertyOf(row, condition.property) === condition.value;
    case 'ne':
      return propertyOf(row, condition.property) !== condition.value;
    case 'ge':
      return modifiedAt >= condition.value;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(condition satisfies never)}`);
  }
}

function propertyOf(row: Row, property: string): Row[string] | undefined {
  return Object.hasOwn(row, property) ? row[property] : undefined;
}
