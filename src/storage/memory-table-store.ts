import type { Clock } from '../clock.js';
import { fullSecond } from './storage-clock.js';
import { checkCommit, checkQuery, checkTableName } from './table-rules.js';
import type { CommitAnswer, Condition, Operation, Page, Query, Row, Stored, TableStore } from './table-store.js';

/** The time for which the name of a dropped table cannot be used: Azure's documented minimum. */
const BUSY_MS = 40_000;

/** `inspect` returns every row of a table, in order, for tests; none if there is no such table. */
export type MemoryTableStore = TableStore & { inspect(table: string): Stored[] };

type Table = Map<string, Partition>;
type Partition = {
  rows: Map<string, Stored>;
  /** Keys in order, also of deleted rows. Keys in `added` are not in `sorted` yet: the next query sorts them in. */
  sorted: string[];
  added: string[];
};

/**
 * Returns Table Storage in memory, with its rules, refusals and clock. A commit takes effect within the call; its
 * answer arrives later. As in Table Storage, `now` is a full second and `modifiedAt` is finer.
 */
export function createMemoryTableStore({ clock }: { clock: Pick<Clock, 'now'> }): MemoryTableStore {
  const tables = new Map<string, Table>();
  const busyUntilMs = new Map<string, number>();
  let writes = 0;

  const isBusy = (name: string) => clock.now().getTime() < (busyUntilMs.get(name) ?? 0);

  function write({ rows }: Partition, partition: string, operation: Operation): string {
    if (operation.kind === 'delete') {
      rows.delete(operation.key);
      return '';
    }
    const { key } = operation;
    const isMerge = operation.kind === 'merge' || operation.kind === 'upsert';
    const row = isMerge ? { ...rows.get(key)?.row, ...operation.row } : { ...operation.row };
    writes += 1;
    const etag = `W/"${writes}"`;
    rows.set(key, { partition, key, row, etag, modifiedAt: clock.now() });
    return etag;
  }

  return {
    async commit(name, partition, operations): Promise<CommitAnswer> {
      checkCommit(name, partition, operations);
      const table = tables.get(name);
      if (table === undefined) return { kind: isBusy(name) ? 'table-busy' : 'no-table' };
      const part: Partition = table.get(partition) ?? { rows: new Map(), sorted: [], added: [] };
      const { rows } = part;

      for (let index = 0; index < operations.length; index++) {
        const operation = operations[index] as Operation;
        const why = refusal(operation, rows.get(operation.key));
        if (why !== undefined) return { kind: 'refused', index, why };
      }

      table.set(partition, part);
      const etags: string[] = [];
      for (const operation of operations) {
        if (!rows.has(operation.key)) part.added.push(operation.key);
        etags.push(write(part, partition, operation));
      }
      if (part.added.length + part.sorted.length > 2 * rows.size + 1_000) sortedKeys(part);
      return { kind: 'done', etags, now: fullSecond(clock) };
    },

    async read(name, partition, key) {
      checkTableName(name);
      return { stored: tables.get(name)?.get(partition)?.rows.get(key), now: fullSecond(clock) };
    },

    async query(name, query): Promise<Page> {
      checkTableName(name);
      checkQuery(query);
      const { rows, next } = pageOf(tables.get(name) ?? new Map(), query);
      return { rows, next, now: fullSecond(clock) };
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

    async list(prefix) {
      return [...tables.keys()].filter((name) => name.startsWith(prefix)).sort();
    },

    inspect: (name) => pageOf(tables.get(name) ?? new Map(), { limit: Number.POSITIVE_INFINITY }).rows,
  };
}

function refusal(operation: Operation, stored: Stored | undefined): 'exists' | 'changed' | 'absent' | undefined {
  if (operation.kind === 'upsert') return undefined;
  if (operation.kind === 'insert') return stored === undefined ? undefined : 'exists';
  if (stored === undefined) return 'absent';
  return operation.etag === undefined || operation.etag === stored.etag ? undefined : 'changed';
}

function sortedKeys(part: Partition): string[] {
  if (part.added.length > 0) {
    // The sort merges two ordered runs. A key that was deleted and inserted again occurs twice.
    const keys = part.sorted.concat(part.added.sort()).sort();
    part.sorted = keys.filter((key, at) => key !== keys[at - 1] && part.rows.has(key));
    part.added = [];
  }
  return part.sorted;
}

/** A page token is the end of the page before: partition and key, with a line feed between, which no key contains. */
function pageOf(table: Table, query: Query): { rows: Stored[]; next: string | undefined } {
  const [pagePartition, pageKey] = query.page?.split('\n') ?? [];
  const partitions = query.partition === undefined ? [...table.keys()].sort() : [query.partition];
  const rows: Stored[] = [];

  for (const partition of partitions) {
    const part = table.get(partition);
    if (part === undefined || (pagePartition !== undefined && partition < pagePartition)) continue;
    const keys = sortedKeys(part);
    const afterPage = partition === pagePartition ? pageKey : undefined;
    for (let at = firstIndex(keys, query, afterPage); at < keys.length; at++) {
      const key = keys[at] as string;
      if (query.to !== undefined && key >= query.to) break;
      const stored = part.rows.get(key);
      if (stored === undefined || !fulfils(stored, query.anyOf)) continue;
      const last = rows.at(-1);
      if (rows.length >= query.limit && last) return { rows, next: `${last.partition}\n${last.key}` };
      rows.push(stored);
    }
  }
  return { rows, next: undefined };
}

function firstIndex(keys: string[], { from = '', after }: Query, afterPage: string | undefined): number {
  const isBefore = (key: string) =>
    key < from || (after !== undefined && key <= after) || (afterPage !== undefined && key <= afterPage);
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(keys[middle] as string)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fulfils(stored: Stored, anyOf: readonly Condition[] | undefined): boolean {
  return anyOf === undefined || anyOf.some((condition) => holds(stored, condition));
}

function holds({ row, modifiedAt }: Stored, condition: Condition): boolean {
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
