import type { Random } from '../clock.js';
import { digest } from '../digest.js';
import { resourceOf } from '../events/order.js';
import type { GroupCommit } from '../storage/group-commit.js';
import type { JobRecord } from '../storage/ledger.js';
import { type Operation, type Row, StorageError, type TableStore } from '../storage/table-store.js';
import type { Watermark } from '../storage/watermarks.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type Context, NonRetriableError, type WorkflowLog, type WorkflowTable } from '../workflow.js';
import { valuesOf, wordOf } from './describe.js';
import type { Cancellation } from './handler.js';
import { type Hold, LAST_OF_LEASE_MS } from './hold.js';
import type { KnownRow, RowTurns } from './row-turns.js';
import { fieldsOf, type Run } from './run.js';

/** A write that came after the lease, or from a holder that another has followed. Nothing was written. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError';
  readonly code = 'lease-lost';
}

type ContextDeps = {
  run: Run;
  job: Hold<JobRecord>;
  resource: Hold<Watermark> | undefined;
  cancellation: Cancellation;
  /** Whether the pipeline still waits for this handler. */
  isOpen: () => boolean;
  /** Writes of the handler that are under way. */
  writing: Set<Promise<unknown>>;
  tables: TableStore;
  commit: GroupCommit;
  rowTurns: RowTurns;
  random: Random;
  telemetry: Telemetry;
};

/** What the handler is given. */
export function createContext(deps: ContextDeps): Context {
  return new JobContext(deps);
}

/** A class, since there is one for each job, and most handlers use little of it. */
class JobContext implements Context {
  readonly fence: number | undefined;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly tables: (name: string) => WorkflowTable;
  readonly #deps: ContextDeps;

  constructor(deps: ContextDeps) {
    this.#deps = deps;
    this.fence = deps.resource?.value.fence;
    this.attempt = deps.job.value.tries + 1;
    this.idempotencyKey = deps.run.address;
    this.tables = (name) => createTable(name, deps);
  }

  get signal(): AbortSignal {
    return this.#deps.cancellation.signal;
  }

  get log(): WorkflowLog {
    return createLog(this.#deps);
  }
}

function createLog({ run, telemetry }: ContextDeps): WorkflowLog {
  let values: readonly string[] | undefined;
  /** A code is a word, not a sentence with a name in it. */
  const codeOf = (code: string) => {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(code)) return NO_CODE;
    values ??= valuesOf(run);
    return wordOf(code, values, NO_CODE);
  };
  const numbersOf = (numbers: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, value]) => [codeOf(name.toLowerCase()), Number(value)]));
  const write = (level: 'info' | 'warn' | 'error') => (code: string, numbers?: Readonly<Record<string, number>>) =>
    telemetry.log(level, 'workflow', {
      ...fieldsOf(run),
      code: codeOf(code),
      ...(numbers ? { numbers: numbersOf(numbers) } : {}),
    });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

const NO_CODE = 'code-not-a-word';

const OURS = /^(ledger.*|waiting|watermarks)$/i;
const MOST_CONFLICTS = 50;

// A write of a handler      dies before it: the next try makes it; after it: the next try finds it, and `decide` is asked
//                           what becomes of it; two at once: one finds that the row has changed and asks again.
function createTable(name: string, deps: ContextDeps): WorkflowTable {
  const { run, tables, commit, rowTurns, random, resource } = deps;
  if (OURS.test(name))
    throw new NonRetriableError(`Table '${name}' belongs to the app; a workflow cannot use it.`, {
      code: 'reserved-table',
    });
  const fence = resource?.value.fence;
  // A row may be written for several resources (all Observations of a patient): fences compare only with those of the same.
  const of = fence === undefined ? '' : digest(resourceOf(run.event));

  return {
    async get(partition, key) {
      const { stored } = await tables.read(name, partition, key);
      return stored && visible(stored.row);
    },

    async list(partition, { from, to, limit = 1000 } = {}) {
      const found: { key: string; row: Row }[] = [];
      let page: string | undefined;
      do {
        const answer = await tables.query(name, {
          partition,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          limit: Math.min(1000, limit),
          ...(page ? { page } : {}),
        });
        for (const stored of answer.rows) {
          const row = visible(stored.row);
          if (row) found.push({ key: stored.key, row });
        }
        page = answer.next;
      } while (page && found.length < limit);
      return found.slice(0, limit);
    },

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
      if (fence !== undefined && stored?.row._of === of && Number(stored?.row._fence ?? 0) > fence) {
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
      const write = { operation, isOwn, untilMs: writableUntilMs(), isWanted: deps.isOpen };
      const written = await noted(commit.write(name, partition, write));
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

  async function noted<T>(write: Promise<T>): Promise<T> {
    const ended = write.catch(() => undefined);
    deps.writing.add(ended);
    try {
      return await write;
    } finally {
      deps.writing.delete(ended);
    }
  }

  function writableUntilMs(): number {
    const { job, isOpen } = deps;
    if (!isOpen() || !job.mayStart() || resource?.mayStart() === false) {
      throw new LeaseLostError('The lease of this job is over, or nearly; nothing was written.');
    }
    return Math.min(job.heldUntilMs, resource?.heldUntilMs ?? Number.POSITIVE_INFINITY) - LAST_OF_LEASE_MS;
  }

  function operationFor(wanted: Row | 'remove', key: string, stored: KnownRow['stored'], stamp: string): Operation {
    const own = { _by: stamp, ...(fence === undefined ? {} : { _fence: fence, _of: of }) };
    if (wanted === 'remove') {
      // Under a fence a mark stays: were the row gone, a former holder could write it anew.
      if (fence === undefined && stored) return { kind: 'delete', key, etag: stored.etag };
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
