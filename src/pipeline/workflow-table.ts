import type { Random } from '../clock.js';
import type { GroupCommit } from '../storage/group-commit.js';
import { pagesOf } from '../storage/pages.js';
import { type Operation, type Row, StorageError, type TableStore } from '../storage/table-store.js';
import { NonRetriableError, type WorkflowTable } from '../workflow.js';
import { bearable } from './begun.js';
import type { KnownRow, RowTurns } from './row-turns.js';

/** Who may write, and until when. */
export type Guard = {
  /** Rises with every holder of the resource `of`; a row that a later holder of it has written is refused. */
  readonly fence?: { readonly number: number; readonly of: string } | undefined;
  /** On the monotonic clock. @throws LeaseLostError where nothing may be written any more */
  writableUntilMs(): number;
  /** Asked when a write is about to leave. */
  isWanted(): boolean;
  /** Told of every write until its end. */
  note(write: Promise<unknown>): void;
};

export type TableDeps = {
  readonly tables: TableStore;
  readonly commit: GroupCommit;
  readonly rowTurns: RowTurns;
  readonly random: Random;
};

/** A write that came after the lease, or from a holder that another has followed. Nothing was written. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
  readonly code = 'lease-lost';
}

const OURS = /^(ledger.*|waiting|looks|watermarks)$/i;
const MOST_CONFLICTS = 50;

/** Unless a limit is named; and the most in a page. */
const MOST_LISTED = 1000;

type Range = NonNullable<Parameters<WorkflowTable['list']>[1]>;
type Listed = { key: string; row: Row };

export function openForReading(name: string, tables: TableStore): Pick<WorkflowTable, 'get' | 'list'> {
  return {
    get: (partition, key) => bearable(get(partition, key)),
    list: (partition, range) => bearable(list(partition, range)),
  };

  async function get(partition: string, key: string): Promise<Row | undefined> {
    const { stored } = await tables.read(name, partition, key);
    return stored && visible(stored.row);
  }

  async function list(partition: string, { from, to, limit = MOST_LISTED }: Range = {}): Promise<Listed[]> {
    const found: Listed[] = [];
    const query = {
      partition,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      limit: Math.min(MOST_LISTED, limit),
    };
    for await (const { rows } of pagesOf((page) => tables.query(name, { ...query, ...page }))) {
      for (const stored of rows) {
        const row = visible(stored.row);
        if (row) found.push({ key: stored.key, row });
      }
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }
}

// A write of a handler      dies before it: the next try makes it; after it: the next try finds it, and `decide` is asked
//                           what becomes of it; two at once: one finds that the row has changed and asks again.
export function openTable(name: string, deps: TableDeps, guard: Guard): WorkflowTable {
  const { tables, commit, rowTurns, random } = deps;
  const { fence } = guard;
  if (OURS.test(name))
    throw new NonRetriableError(`Table '${name}' belongs to the app; a workflow cannot use it.`, {
      code: 'reserved-table',
    });

  return {
    ...openForReading(name, tables),

    change: (partition, key, decide, options) =>
      rowTurns(`${name}\n${partition}\n${key}`, (known) => changeRow(partition, key, decide, known, options)),
  };

  async function changeRow(
    partition: string,
    key: string,
    decide: (current: Row | undefined) => Row | 'keep' | 'remove',
    known: KnownRow | undefined,
    options: { expect?: 'absent' } | undefined,
  ): Promise<KnownRow> {
    // What is assumed of the row is good enough for a write, which is refused where it is not so; to write nothing, it
    // must have been read.
    let isRead = known === undefined && options?.expect !== 'absent';
    let { stored } = isRead ? await tables.read(name, partition, key) : (known ?? { stored: undefined });
    for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts += 1) {
      // A row may be written for several resources (all Observations of a patient): fences compare only with those of the same.
      if (fence && stored?.row._of === fence.of && Number(stored.row._fence ?? 0) > fence.number) {
        throw new LeaseLostError('A later holder of this resource has written the row; nothing was written.');
      }
      const wanted = decide(stored && visible(stored.row));
      if (wanted === 'keep' || (wanted === 'remove' && !stored)) {
        if (isRead) return { stored };
        ({ stored } = await tables.read(name, partition, key));
        isRead = true;
        continue;
      }
      const stamp = random.token();
      const operation = operationFor(wanted, key, stored, stamp);
      const isOwn = (row: Row | undefined) => (operation.kind === 'delete' ? row === undefined : row?._by === stamp);
      const write = { operation, isOwn, untilMs: guard.writableUntilMs(), isWanted: guard.isWanted };
      const writing = commit.write(name, partition, write);
      guard.note(writing);
      const written = await writing;
      if (written.kind === 'written') {
        const isThere = operation.kind !== 'delete' && written.etag !== ''; // or somebody has deleted it since
        return { stored: isThere ? { row: operation.row, etag: written.etag } : undefined };
      }
      if (written.kind === 'table-busy')
        throw new StorageError('table-busy', 'The table is being dropped; try again in a minute.');
      stored = written.read.stored;
      isRead = true;
    }
    throw new StorageError(
      'contention',
      `A row was changed by others ${MOST_CONFLICTS} times in a row; nothing was written.`,
    );
  }

  function operationFor(wanted: Row | 'remove', key: string, stored: KnownRow['stored'], stamp: string): Operation {
    // Who has no fence leaves that of the row's last holder as it is.
    const { _fence, _of } = stored?.row ?? {};
    const kept = _fence !== undefined && _of !== undefined ? { _fence, _of } : undefined;
    const own = { _by: stamp, ...(fence ? { _fence: fence.number, _of: fence.of } : kept) };
    if (wanted === 'remove') {
      // Under a fence a mark stays: were the row gone, a former holder could write it anew.
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

/** A row as workflows see it: without our marks; undefined where a mark is all that is left of it. */
export function visible(row: Row): Row | undefined {
  if (row._removed === true) return undefined;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_')));
}
