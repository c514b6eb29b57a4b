import type { WorkflowTable } from '../workflow.js';

/**
 * The table changes that a handler started, whether or not it waits for them. A change that fails unseen must neither
 * end in work that counts as done, nor end the process by an unhandled rejection.
 */
export class PendingChanges {
  #open: Set<Promise<unknown>> | undefined; // most jobs change one row and wait for it
  #failed: { readonly error: unknown } | undefined;

  /** Returns `table`, whose changes are noted here. */
  watched(table: WorkflowTable): WorkflowTable {
    return {
      ...table,
      change: (...all) => {
        const change = table.change(...all);
        this.#add(change);
        return change;
      },
    };
  }

  /**
   * Returns undefined if every change has succeeded. Else the promise resolves when all have; it rejects if one fails.
   */
  ended(): Promise<void> | undefined {
    return (this.#open?.size ?? 0) > 0 || this.#failed ? this.#waitForAll() : undefined;
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

/** Returns `read`. A read that fails and that nobody waits for does not end the process: nobody has used its answer. */
export function ignoreUnhandled<T>(read: Promise<T>): Promise<T> {
  read.catch(() => {});
  return read;
}
