import { RECONCILED_PREFIX } from '../events/reconciled.js';
import { createTurns } from '../storage/pace.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Shared } from './shared.js';

const GROUPS_PER_SECOND = 20;
const GROUP = 10;
/** A look at the same shard comes then, and finds the rows that are left. */
const START_WITHIN_MS = 10_000;

/**
 * Rows of changes that reconciliation has found. It adds them by the thousand, for changes of hours or months ago. They
 * start a few at a time (200 a second in a process), so that live events keep their pace. Other rows start at once.
 */
export class PacedRows {
  readonly #shared: Pick<Shared, 'clock' | 'shutdown'>;
  readonly #takeGroupTurn: () => Promise<void>;
  /** Names of the rows that are running: the next look finds them too. */
  readonly #running = new Set<string>();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(shared: Pick<Shared, 'clock' | 'shutdown'>) {
    this.#shared = shared;
    this.#takeGroupTurn = createTurns(GROUPS_PER_SECOND, shared);
  }

  /** One look finds the rows of all shards: all read at once, they would keep the storage calls of live events waiting. */
  readInTurn<T>(read: () => Promise<T>): Promise<T> {
    const reading = this.#reading.then(read, read);
    this.#reading = reading;
    return reading;
  }

  /** Calls `run`, which never throws, for each row. Rows that do not start in time stay, and come again. */
  async run(rows: readonly WaitingRow[], run: (row: WaitingRow) => Promise<void>): Promise<void> {
    const found: WaitingRow[] = [];
    const others: WaitingRow[] = [];
    // The text may stand elsewhere in an event: then its row starts later, which is all.
    for (const row of rows) (row.event.includes(RECONCILED_PREFIX) ? found : others).push(row);
    await Promise.all([...others.map(run), this.#runInGroups(found, run)]);
  }

  async #runInGroups(rows: readonly WaitingRow[], run: (row: WaitingRow) => Promise<void>): Promise<void> {
    const { clock, shutdown } = this.#shared;
    const untilMs = clock.monotonic() + START_WITHIN_MS;
    const started: Promise<void>[] = [];
    for (let at = 0; at < rows.length; at += GROUP) {
      await this.#takeGroupTurn();
      if (shutdown.isStopping || clock.monotonic() > untilMs) break; // E1
      for (const row of rows.slice(at, at + GROUP)) {
        if (this.#running.has(row.name)) continue;
        this.#running.add(row.name);
        started.push(run(row).finally(() => this.#running.delete(row.name)));
      }
    }
    await Promise.all(started);
  }
}
