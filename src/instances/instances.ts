import type { Clock } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import type { CircuitState } from '../pipeline/circuits.js';
import { createSharedAnswer } from '../shared-answer.js';
import { APP_TABLES } from '../storage/app-tables.js';
import { commitCreating } from '../storage/commit-creating.js';
import { queryPages } from '../storage/pages.js';
import { StorageError, type Stored, type TableStore } from '../storage/table-store.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { LastHour } from './last-hour.js';
import { BUSY_MS, IDLE_MS, rowOf, type Seen, seenOf, type WorkflowCircuit } from './row.js';

const TABLE = APP_TABLES.instances;
const PARTITION = 'instances';
const PAGE_ROWS = 100;
const GONE_AFTER_MS = 60 * 60_000;
/** The page reads every few seconds, in many tabs, which share an answer. */
const READ_EVERY_MS = 5000;

type Deps = {
  readonly tables: TableStore;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, 'log'>;
  readonly instance: { readonly id: string; readonly startedAt: Date };
  readonly lastHour: LastHour;
  readonly circuits: () => Record<string, CircuitState>;
};

/**
 * The instances of the app. Each instance writes its own row in the table `instances`. A row's age is by storage's clock
 * (T1). Nothing else depends on these rows.
 *
 *   process dies before a heartbeat          the instance becomes silent, and its row is deleted after an hour
 *   process dies after its last heartbeat    the row says `stopped`, and is deleted after an hour
 *   two heartbeats at once                   never: an instance sends a heartbeat after the answer to the one before
 *   a heartbeat takes effect late            the next heartbeat replaces it; a stopped instance becomes silent
 *   two instances delete a row at once       a delete names the version that was read: storage refuses one of the two.
 *                                            A row that its process has written again, after an hour of suspension, stays
 *
 * The heartbeats of this instance:
 *
 *   busy    a number has changed since the last heartbeat: the next one comes after 10 s
 *   idle    no number has changed: after one more heartbeat that says so, one comes each minute
 */
export class Instances {
  readonly #deps: Deps;
  readonly #readShared: () => Promise<Seen[]>;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #isStopped = false;
  #isFailing = false;
  /** The last heartbeat that was written. */
  #written = { changes: 0, nextInMs: 0, atMs: Number.NEGATIVE_INFINITY };

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#readShared = createSharedAnswer(() => readInstances(deps), { clock: deps.clock, ms: READ_EVERY_MS });
  }

  /** Writes a heartbeat now and from now on, until `stop`. */
  start(): void {
    if (!this.#writing && !this.#isStopped) this.#beat();
    this.#readShared().catch(() => {}); // deletes old rows, also in an app whose page nobody opens
  }

  /** Writes the last heartbeat, which says that this instance has stopped. Never throws. */
  async stop(): Promise<void> {
    if (!this.#writing || this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel?.();
    await this.#writing;
    await this.#write('stopped', IDLE_MS).catch(() => {}); // on failure, the instance becomes silent
  }

  /** Returns the instances of the last hour: this one as it is now, then the others, at most 5 s old. @throws StorageError */
  async all(): Promise<Seen[]> {
    const others = (await this.#readShared()).filter(({ id }) => id !== this.#deps.instance.id);
    return [this.own(), ...others.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())];
  }

  /** Returns this instance as it is now. */
  own(): Seen {
    const { clock, instance, lastHour, circuits } = this.#deps;
    return {
      ...instance,
      seenAt: clock.now(),
      state: 'running',
      hour: lastHour.hour(),
      circuits: Object.entries(circuits()).map(circuitOf),
      recent: lastHour.recent(),
    };
  }

  #beat(): void {
    this.#writing = this.#writeIfDue().then(() => {
      if (!this.#isStopped) this.#cancel = this.#deps.clock.after(BUSY_MS, () => this.#beat());
    });
  }

  /** Never throws: the app works without heartbeats. */
  async #writeIfDue(): Promise<void> {
    const { clock, lastHour, telemetry } = this.#deps;
    const { changes } = lastHour;
    const { nextInMs, atMs } = this.#written;
    const isBusy = changes !== this.#written.changes;
    const nowMs = clock.monotonic();
    if (!isBusy && nowMs < atMs + nextInMs) return;
    const heartbeat = { changes, nextInMs: isBusy ? BUSY_MS : IDLE_MS, atMs: nowMs };
    try {
      await this.#write('running', heartbeat.nextInMs);
      this.#written = heartbeat;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) telemetry.log('warn', 'heartbeat-not-written', { errorCode: errorCodeOf(error) });
      this.#isFailing = true;
    }
  }

  async #write(state: 'running' | 'stopped', nextInMs: number): Promise<void> {
    const { tables, instance } = this.#deps;
    const row = rowOf({ ...this.own(), state, nextInMs });
    const operation = { kind: 'upsert', key: instance.id, row } as const;
    const { kind } = await commitCreating(tables, [TABLE, PARTITION], [operation]);
    if (kind !== 'done') throw new StorageError('table-busy', `The table ${TABLE} is being dropped.`);
  }
}

function circuitOf([workflow, { state, failuresInARow, openSince, openUntil }]: [
  string,
  CircuitState,
]): WorkflowCircuit {
  return { workflow, state, failuresInARow, openSince: openSince ?? null, nextProbeAt: openUntil ?? null };
}

/** Reads the rows of the last hour, and deletes those that are older. */
async function readInstances({ tables }: Pick<Deps, 'tables'>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const gone: Stored[] = [];
  for await (const { rows, now } of queryPages(tables, TABLE, { partition: PARTITION, limit: PAGE_ROWS })) {
    for (const stored of rows) {
      const one = seenOf(stored, now);
      if (now.getTime() - stored.modifiedAt.getTime() > GONE_AFTER_MS) gone.push(stored);
      else if (one) seen.push(one);
    }
  }
  await deleteRows(gone.slice(0, PAGE_ROWS), tables);
  return seen;
}

/** Deletes the rows unless one has changed; then the next reader tries again. */
async function deleteRows(rows: readonly Stored[], tables: TableStore): Promise<void> {
  if (rows.length === 0) return;
  try {
    await tables.commit(
      TABLE,
      PARTITION,
      rows.map(({ key, etag }) => ({ kind: 'delete', key, etag })),
    );
  } catch (error) {
    if (!(error instanceof StorageError)) throw error; // the next reader deletes the rows
  }
}
