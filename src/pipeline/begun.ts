import type { WorkflowTable } from '../workflow.js';

/**
 * What is changed in tables, whether or not somebody waits for it: a change that failed and was not looked at must not
 * end in work that counts as done, nor as a rejection that ends the process.
 */
export class Begun {
  #open: Set<Promise<unknown>> | undefined; // there is one for each job, and most change one row and wait for it
  #failed: { readonly error: unknown } | undefined;

  /** `table`, whose changes are noted here. */
  kept(table: WorkflowTable): WorkflowTable {
    return {
      ...table,
      change: (...all) => {
        const change = table.change(...all);
        this.#add(change);
        return change;
      },
    };
  }

  /** Undefined where all is well and over; rejects where one has failed, or does. */
  rest(): Promise<void> | undefined {
    return (this.#open?.size ?? 0) > 0 || this.#failed ? this.#waitForAll() : undefined;
  }

  #add(change: Promise<unknown>): void {
    this.#open ??= new Set();
    const open = this.#open;
    const over: Promise<unknown> = change.then(
      () => open.delete(over),
      (error: unknown) => {
        this.#failed ??= { error };
        open.delete(over);
      },
    );
    open.add(over);
  }

  async #waitForAll(): Promise<void> {
    while (this.#open && this.#open.size > 0) await Promise.all(this.#open);
    if (this.#failed) throw this.#failed.error;
  }
}

/** A read that fails and is waited for by nobody is no reason to end the process: nobody has used it. */
export function bearable<T>(read: Promise<T>): Promise<T> {
  read.catch(() => {});
  return read;
}
