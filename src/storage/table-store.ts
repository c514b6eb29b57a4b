/**
 * Table Storage. Two implementations keep one contract (test/storage/table-store.contract.ts): azure-table-store.ts and
 * memory-table-store.ts.
 *
 * All failures are thrown as a StorageError. A write that throws has an unknown outcome: it may have taken effect, may
 * take effect later, or never (C2). No implementation sends a write again by itself. `signal` is that of a time limit
 * (bounded.ts).
 */
export type TableStore = {
  /** Writes all operations or none: 1 to 100, on different rows of one partition, up to 4 MiB. */
  commit(
    table: string,
    partition: string,
    operations: readonly Operation[],
    signal?: AbortSignal,
  ): Promise<CommitAnswer>;
  /** Reads one row. A table that is absent or being dropped reads as empty. */
  read(table: string, partition: string, key: string, signal?: AbortSignal): Promise<Read>;
  /** Returns rows by partition, then key. A table that is absent or being dropped reads as empty. */
  query(table: string, query: Query, signal?: AbortSignal): Promise<Page>;
  /** Creates a table. Nothing happens if it exists. `busy`: a table of this name is being dropped. */
  create(table: string, signal?: AbortSignal): Promise<'ready' | 'busy'>;
  /** Drops a table. Nothing happens if it is absent. */
  drop(table: string, signal?: AbortSignal): Promise<void>;
  /** Returns the names of the tables that begin with `prefix`, in order. */
  list(prefix: string, signal?: AbortSignal): Promise<string[]>;
};

/** A partition of a table. */
export type Place = { readonly table: string; readonly partition: string };

/** The types of a property. Numbers are stored as Int32 if they fit, else as Double. */
export type Value = string | number | boolean;
/**
 * The properties of a row without its keys. Reserved names are refused: `PartitionKey`, `RowKey`, `Timestamp`, `ETag`
 * in any case, names that begin with `odata`, and `__proto__`.
 */
export type Row = Readonly<Record<string, Value>>;

/** One change of a row. Storage refuses the whole transaction if one row is not as its operation expects. */
export type Operation =
  | { kind: 'insert'; key: string; row: Row }
  /** Properties that `row` lacks stay. `etag`: only if the row is still this version. */
  | { kind: 'merge'; key: string; row: Row; etag: string }
  | { kind: 'replace'; key: string; row: Row; etag: string }
  /** Inserts the row, or merges into any version of it. */
  | { kind: 'upsert'; key: string; row: Row }
  /** Without an etag: any version. An absent row is refused as `absent` in both cases. */
  | { kind: 'delete'; key: string; etag?: string };

/** The known outcome of a transaction. An unknown outcome is thrown as a StorageError. */
export type CommitAnswer =
  /** `etags[i]` is that of operation i; '' for a delete. `now`: storage's Date of the answer, if the answer has one. */
  | { kind: 'done'; etags: string[]; now: Date | undefined }
  /** Nothing was written, because of operation `index`: 409, 412, 404. */
  | { kind: 'refused'; index: number; why: 'exists' | 'changed' | 'absent' }
  /** Nothing was written: there is no such table, or one of this name is being dropped. */
  | { kind: 'no-table' }
  | { kind: 'table-busy' };

/** A row as read. `modifiedAt`: storage's Timestamp of the row, by the same clock as `now` of the answer. */
export type Stored = { partition: string; key: string; row: Row; etag: string; modifiedAt: Date };
/** `stored` is undefined if the row is absent. `now` is storage's Date of the answer. */
export type Read = { stored: Stored | undefined; now: Date };
/** `now` is storage's Date of the answer. `next` is the `page` of the next query; undefined on the last page. */
export type Page = { rows: Stored[]; now: Date; next: string | undefined };

/** The rows to return. Without `partition`, storage searches all partitions of the table. */
export type Query = {
  partition?: string;
  /** Keys at or after `from`, before `to`, after `after`; only together with `partition`. */
  from?: string;
  to?: string;
  after?: string;
  /** Rows that fulfil one of these conditions. Default: all rows. */
  anyOf?: readonly Condition[];
  /** The maximum rows of a page, 1 to 1,000. */
  limit: number;
  /** `next` of the page before. A page may hold fewer rows than `limit`, even none, and still have a `next`. */
  page?: string;
};
/** `timestamp` compares storage's own Timestamp. A row without the property fulfils only `ne`. */
export type Condition =
  | { property: string; is: 'eq' | 'ne'; value: Value }
  | { property: 'timestamp'; is: 'ge'; value: Date };

/** Storage failed or did not answer. `code` is a word for logs. The message contains no part of a row. */
export class StorageError extends Error {
  override name = 'StorageError';
  readonly code: string;
  /** Storage refused the request (400, 413): the same request cannot succeed, and nothing was written. */
  readonly isRejected: boolean;
  constructor(code: string, message: string, options?: ErrorOptions & { isRejected?: boolean }) {
    super(message, options);
    this.code = code;
    this.isRejected = options?.isRejected ?? false;
  }
}

/** Returns `error` if it is a StorageError. Throws any other error, which is a bug. */
export function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  throw error;
}
