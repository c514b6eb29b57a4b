import type { Clock } from '../clock.js';
import type { WorkflowTable } from '../workflow.js';

/**
 * The table changes that a handler has started, also those that it does not wait for: if one fails, the handler must not
 * count as completed, and the process must not end by an unhandled rejection. Also measures the time in which calls to the
 * tables are under way (J14).
 */
export class PendingChanges {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #calls = 0;
  #waitingSinceMs = 0;
  #waitedMs = 0;
  #open: Set<Promise<unknown>> | undefined; // most jobs change one row and wait for it
  #failed: { readonly error: unknown } | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Returns `table`, whose calls are measured, and whose changes are tracked. */
  watched(table: WorkflowTable): WorkflowTable {
    return {
      get: (...all) => this.#timed(table.get(...all)),
      list: (...all) => this.#timed(table.list(...all)),
      change: (...all) => {
        const change = this.#timed(table.change(...all));
        this.#add(change);
        return change;
      },
    };
  }

  /** J14: returns the time in which calls to the workflow's tables have been under way so far. */
  waitedMs(): number {
    return this.#waitedMs + (this.#calls > 0 ? this.#clock.monotonic() - this.#waitingSinceMs : 0);
  }

  /**
   * Returns undefined if every change has succeeded. Else returns a promise that resolves when all changes have succeeded,
   * and rejects if one fails.
   */
  ended(): Promise<void> | undefined {
    return (this.#open?.size ?? 0) > 0 || this.#failed ? this.#waitForAll() : undefined;
  }

  #timed<T>(call: Promise<T>): Promise<T> {
    if (this.#calls === 0) this.#waitingSinceMs = this.#clock.monotonic();
    this.#calls += 1;
    const end = () => {
      this.#calls -= 1;
      if (this.#calls === 0) this.#waitedMs += this.#clock.monotonic() - this.#waitingSinceMs;
    };
    call.then(end, end);
    return call;
  }

  #add(change: Promise<unknown>): void {
    this.#open ??= new Set();
    const open = this.#open;
    const noted: Promise<unknown> = change.then(
      () => open.delete(noted),
      (error: unknown) => {
        this.#failed ??= { error };
        open.delete(noted);
      },
    );
    open.add(noted);
  }

  async #waitForAll(): Promise<void> {
    while (this.#open && this.#open.size > 0) await Promise.all(this.#open);
    if (this.#failed) throw this.#failed.error;
  }
}

/** Returns `read`. A failed read for which no code waits does not end the process, because no code uses its answer. */
export function ignoreUnhandled<T>(read: Promise<T>): Promise<T> {
  read.catch(() => {});
  return read;
}
