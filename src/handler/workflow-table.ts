import type { Random } from '../clock.js';
import { isAppTable } from '../storage/app-tables.js';
import type { GroupCommit } from '../storage/group-commit.js';
import { queryPages } from '../storage/pages.js';
import { type Operation, type Row, StorageError, type TableStore } from '../storage/table-store.js';
import { NonRetriableError, type WorkflowTable } from '../workflow.js';
import type { ChangeQueue, KnownRow } from './change-queue.js';
import { ignoreUnhandled } from './pending-changes.js';

/** The conditions of a write. */
export type Guard = {
  /** L3: `number` rises with every holder of `resource`, a digest. A write over a row of a later holder is refused. */
  readonly fence?: { readonly number: number; readonly resource: string } | undefined;
  /** Returns until when a write may be sent, on the monotonic clock. @throws LeaseLostError if that time is over */
  writableUntilMs(): number;
  /** Called before each sending of a write. Returns whether the write is still wanted. */
  isWanted(): boolean;
  /** Called with every write when it starts. */
  note(write: Promise<unknown>): void;
  /**
   * J10: the rows that the handler has read or written last, by table and place. A change begins with such a row, and
   * storage refuses the write if the row has changed. So a handler that reads a row, then changes it, reads once.
   */
  readonly seen?: Map<string, KnownRow>;
};

export type TableDeps = {
  readonly tables: TableStore;
  readonly commit: GroupCommit;
  readonly changeQueue: ChangeQueue;
  readonly random: Random;
};

/** The write came after the end of the lease, or from a former holder. Nothing was written. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
  readonly code = 'lease-lost';
}

const MAX_CONFLICTS = 50;

/** The size of a page, and the default of `limit`. */
const PAGE = 1000;

type Range = NonNullable<Parameters<WorkflowTable['list']>[1]>;
type Listed = { key: string; row: Row };

/** Returns the reads of a table, without removed rows and without the properties that the app adds (`_…`). */
export function openForReading(
  name: string,
  tables: TableStore,
  onRead: (partition: string, key: string, read: KnownRow) => void = () => {},
): Pick<WorkflowTable, 'get' | 'list'> {
  return {
    get: (partition, key) => ignoreUnhandled(get(partition, key)),
    list: (partition, range) => ignoreUnhandled(list(partition, range)),
  };

  async function get(partition: string, key: string): Promise<Row | undefined> {
    const read = await tables.read(name, partition, key);
    onRead(partition, key, read);
    return read.stored && visible(read.stored.row);
  }

  async function list(partition: string, { from, to, limit = PAGE }: Range = {}): Promise<Listed[]> {
    const found: Listed[] = [];
    const query = {
      partition,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      limit: Math.min(PAGE, limit),
    };
    for await (const { rows } of queryPages(tables, name, query)) {
      for (const stored of rows) {
        const row = visible(stored.row);
        if (row) found.push({ key: stored.key, row });
      }
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }
}

/** @throws NonRetriableError if the table is one of the app's own */
export function openTable(name: string, deps: TableDeps, guard: Guard): WorkflowTable {
  if (isAppTable(name))
    throw new NonRetriableError(`Table '${name}' belongs to the app; a workflow cannot use it.`, {
      code: 'reserved-table',
    });
  const rowOf = (partition: string, key: string) => `${name}\n${partition}\n${key}`;
  return {
    ...openForReading(name, deps.tables, (partition, key, read) => guard.seen?.set(rowOf(partition, key), read)),
    change: (partition, key, decide, options) => {
      const change = new RowChange({ table: name, partition, key, decide, options, deps, guard });
      const row = rowOf(partition, key);
      return deps.changeQueue(row, async (known) => {
        const left = await change.make(known ?? guard.seen?.get(row));
        guard.seen?.set(row, left);
        return left;
      });
    },
  };
}

type ChangeRequest = {
  readonly table: string;
  readonly partition: string;
  readonly key: string;
  readonly decide: (current: Row | undefined) => Row | 'keep' | 'remove';
  readonly options: { expect?: 'absent' } | undefined;
  readonly deps: TableDeps;
  readonly guard: Guard;
};

// One change of one row by a handler.
//   process dies before the write    the next try writes
//   process dies after the write     the next try finds the row, and calls `decide` again
//   two handlers at once             storage refuses one write; that handler reads the row, and calls `decide` again
class RowChange {
  readonly #request: ChangeRequest;
  #stored: KnownRow['stored'];
  /**
   * J10: true once the row was read. A write may start from an assumed row, because storage refuses the write if the row
   * is another. A row is kept only if it was read.
   */
  #isRead = false;

  constructor(request: ChangeRequest) {
    this.#request = request;
  }

  async make(known: KnownRow | undefined): Promise<KnownRow> {
    const { decide, options } = this.#request;
    if (known === undefined && options?.expect !== 'absent') await this.#read();
    else this.#stored = known?.stored;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      this.#checkFence();
      const row = decide(this.#stored && visible(this.#stored.row));
      if (row === 'keep' || (row === 'remove' && !this.#stored)) {
        if (this.#isRead) return { stored: this.#stored };
        await this.#read();
        continue;
      }
      const written = await this.#write(row);
      if (written) return written;
    }
    throw new StorageError(
      'contention',
      `A row was changed by others ${MAX_CONFLICTS} times in a row; nothing was written.`,
    );
  }

  async #read(): Promise<void> {
    const { table, partition, key, deps } = this.#request;
    this.#stored = (await deps.tables.read(table, partition, key)).stored;
    this.#isRead = true;
  }

  /**
   * L3: refuses a lower fence. A row may be written for several resources (all Observations of a patient), so only fences
   * of the same resource are compared.
   */
  #checkFence(): void {
    const { fence } = this.#request.guard;
    const stored = this.#stored;
    if (fence && stored?.row._of === fence.resource && Number(stored.row._fence ?? 0) > fence.number) {
      throw new LeaseLostError('A later holder of this resource has written the row; nothing was written.');
    }
  }

  /** Writes over the stored row. Returns undefined if storage has another version; `#stored` is then that version. */
  async #write(row: Row | 'remove'): Promise<KnownRow | undefined> {
    const { table, partition, deps, guard } = this.#request;
    const stamp = deps.random.token();
    const operation = this.#operationFor(row, stamp);
    const isOwn = (found: Row | undefined) =>
      operation.kind === 'delete' ? found === undefined : found?._by === stamp;
    const write = { operation, isOwn, untilMs: guard.writableUntilMs(), isWanted: guard.isWanted };
    const writing = deps.commit.write(table, partition, write);
    guard.note(writing);
    const written = await writing;
    if (written.kind === 'written') {
      const isThere = operation.kind !== 'delete' && written.etag !== ''; // '' if another writer has deleted the row since
      return { stored: isThere ? { row: operation.row, etag: written.etag } : undefined };
    }
    if (written.kind === 'table-busy')
      throw new StorageError('table-busy', 'The table is being dropped; try again in a minute.');
    this.#stored = written.read.stored;
    this.#isRead = true;
    return undefined;
  }

  #operationFor(wanted: Row | 'remove', stamp: string): Operation {
    const { key, guard } = this.#request;
    const { fence } = guard;
    const stored = this.#stored;
    // A writer without a fence leaves the fence of the row's last holder as it is.
    const { _fence, _of } = stored?.row ?? {};
    const kept = _fence !== undefined && _of !== undefined ? { _fence, _of } : undefined;
    const own = { _by: stamp, ...(fence ? { _fence: fence.number, _of: fence.resource } : kept) };
    if (wanted === 'remove') {
      // With a fence, the removed row stays as a mark: else a former holder could insert the row again.
      if (!fence && stored) return { kind: 'delete', key, etag: stored.etag };
      return { kind: 'replace', key, row: { ...own, _removed: true }, etag: stored?.etag ?? '' };
    }
    const reserved = Object.keys(wanted).find((property) => property.startsWith('_'));
    if (reserved)
      throw new NonRetriableError("Names of properties must not begin with '_'.", { code: 'reserved-property' });
    const row = { ...wanted, ...own };
    return stored ? { kind: 'replace', key, row, etag: stored.etag } : { kind: 'insert', key, row };
  }
}

/** Returns a row as workflows see it: without the app's marks; undefined if only a mark is left. */
export function visible(row: Row): Row | undefined {
  if (row._removed === true) return undefined;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_')));
}
