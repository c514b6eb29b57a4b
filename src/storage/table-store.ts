/**
 * What the app needs of Table Storage, and no more. Two implementations keep one contract
 * (test/storage/table-store.contract.ts): Azure's (azure-table-store.ts) and one in memory (memory-table-store.ts).
 *
 * Whatever is not a value here is thrown as a StorageError. A write that throws has an unknown outcome: it may
 * have taken effect, may take effect later, or never. No implementation retries by itself.
 */
export type TableStore = {
  /** All of it or nothing. 1 to 100 operations on different rows of one partition, 4 MiB at most. */
  commit(table: string, partition: string, operations: readonly Operation[], signal?: AbortSignal): Promise<Commit>;
  /** A table that is absent or being dropped reads as empty. */
  read(table: string, partition: string, key: string, signal?: AbortSignal): Promise<Read>;
  /** In order of partition, then key. A table that is absent or being dropped reads as empty. */
  query(table: string, query: Query, signal?: AbortSignal): Promise<Page>;
  /** Nothing happens where it exists. `busy`: a table of this name is being dropped. */
  create(table: string, signal?: AbortSignal): Promise<'ready' | 'busy'>;
  /** Nothing happens where it is absent. */
  drop(table: string, signal?: AbortSignal): Promise<void>;
  /** The names of the tables that begin with `prefix`, in order. */
  list(prefix: string, signal?: AbortSignal): Promise<string[]>;
};

export type Value = string | number | boolean;
/**
 * Properties without the keys. Storage's own are refused: `PartitionKey`, `RowKey`, `Timestamp`, `ETag` in any case,
 * and what begins with `odata`; so is `__proto__`.
 */
export type Row = Readonly<Record<string, Value>>;

export type Operation =
  | { kind: 'insert'; key: string; row: Row }
  /** Properties that are not named stay. `etag`: only if it is still this version. */
  | { kind: 'merge'; key: string; row: Row; etag: string }
  | { kind: 'replace'; key: string; row: Row; etag: string }
  /** Without an etag: whatever its version, and its absence is refused as `absent` all the same. */
  | { kind: 'delete'; key: string; etag?: string };

export type Commit =
  /** `etags[i]` is that of operation i; '' for a delete. `now`: storage's Date of the answer, if the answer has one. */
  | { kind: 'done'; etags: string[]; now: Date | undefined }
  /** Nothing was written, because of operation `index`: 409, 412, 404. */
  | { kind: 'refused'; index: number; why: 'exists' | 'changed' | 'absent' }
  /** Nothing was written: there is no such table, or one of this name is being dropped. */
  | { kind: 'no-table' }
  | { kind: 'table-busy' };

/** `modifiedAt` is storage's Timestamp of the row, `now` storage's Date of the answer: two readings of one clock. */
export type Stored = { partition: string; key: string; row: Row; etag: string; modifiedAt: Date };
export type Read = { stored: Stored | undefined; now: Date };
export type Page = { rows: Stored[]; now: Date; next: string | undefined };

export type Query = {
  partition?: string;
  /** Keys at or after `from`, before `to`, after `after`; only together with `partition`. */
  from?: string;
  to?: string;
  after?: string;
  /** Rows for which one of these holds; all rows where it is left out. */
  anyOf?: readonly Condition[];
  /** Rows a page, 1 to 1,000. */
  limit: number;
  /** `next` of the page before. A page may hold fewer rows than `limit`, even none, and still have a `next`. */
  page?: string;
};
/** `timestamp` compares storage's own Timestamp. A row that lacks the property fulfils only `ne`. */
export type Condition =
  | { property: string; is: 'eq' | 'ne'; value: Value }
  | { property: 'timestamp'; is: 'ge'; value: Date };

/** Storage failed, or did not answer. `code` is a short word for logs; nothing of a row is in the message. */
export class StorageError extends Error {
  override name = 'StorageError';
  readonly code: string;
  /** Storage refused what it was asked (400, 413): the same request will not succeed, and nothing was written. */
  readonly isRejected: boolean;
  constructor(code: string, message: string, options?: ErrorOptions & { isRejected?: boolean }) {
    super(message, options);
    this.code = code;
    this.isRejected = options?.isRejected ?? false;
  }
}
