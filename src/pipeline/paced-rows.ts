import { RECONCILED_PREFIX } from '../events/reconciled.js';
import { createTurns } from '../storage/pace.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Shared } from './shared.js';

const GROUPS_PER_SECOND = 20;
const GROUP_SIZE = 10;
/** The time to the next look at the shard, which finds the rows that have not started. */
const START_WITHIN_MS = 10_000;

/**
 * Starts due rows. The rows of changes that reconciliation has found, which can be thousands, start a few at a time:
 * 200 a second in a process, so that they do not slow down live events. Other rows start at once.
 */
export class PacedRows {
  readonly #shared: Pick<Shared, 'clock' | 'shutdown'>;
  readonly #takeGroupTurn: () => Promise<void>;
  /** The names of the rows that run. The next look may find them again. */
  readonly #running = new Set<string>();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(shared: Pick<Shared, 'clock' | 'shutdown'>) {
    this.#shared = shared;
    this.#takeGroupTurn = createTurns(GROUPS_PER_SECOND, shared);
  }

  /** Reads one page after the other. A look starts the reads of all shards; all at once would slow down live events. */
  readInTurn<T>(read: () => Promise<T>): Promise<T> {
    const reading = this.#reading.then(read, read);
    this.#reading = reading;
    return reading;
  }

  /** Calls `run`, which never throws, for each row. Rows that do not start in time stay for the next look. */
  async run(rows: readonly WaitingRow[], run: (row: WaitingRow) => Promise<void>): Promise<void> {
    const reconciled: WaitingRow[] = [];
    const others: WaitingRow[] = [];
    // The prefix is part of the event's id. A row whose event has it elsewhere only starts later.
    for (const row of rows) (row.event.includes(RECONCILED_PREFIX) ? reconciled : others).push(row);
    await Promise.all([...others.map(run), this.#runInGroups(reconciled, run)]);
  }

  async #runInGroups(rows: readonly WaitingRow[], run: (row: WaitingRow) => Promise<void>): Promise<void> {
    const { clock, shutdown } = this.#shared;
    const untilMs = clock.monotonic() + START_WITHIN_MS;
    const started: Promise<void>[] = [];
    for (let at = 0; at < rows.length; at += GROUP_SIZE) {
      await this.#takeGroupTurn();
      if (shutdown.isStopping || clock.monotonic() > untilMs) break; // E1: a process that ends claims no job
      for (const row of rows.slice(at, at + GROUP_SIZE)) {
        if (this.#running.has(row.name)) continue;
        this.#running.add(row.name);
        started.push(run(row).finally(() => this.#running.delete(row.name)));
      }
    }
    await Promise.all(started);
  }
}
