import type { Row } from '../storage/table-store.js';

/**
 * Makes the changes of one row one after the other within a process. Each begins with the row that the change before
 * has written, so versions of a resource that arrive together neither refuse each other's writes nor read twice. This
 * only saves requests: if the row has changed elsewhere, the condition of the write refuses the write.
 */
export type ChangeQueue = (row: string, change: RowChange) => Promise<void>;

/** @param known the row as the change before has left it; undefined where there was none, or it failed */
export type RowChange = (known: KnownRow | undefined) => Promise<KnownRow>;

/** `stored` is undefined where there is no row. */
export type KnownRow = { readonly stored: { readonly row: Row; readonly etag: string } | undefined };

export function createChangeQueue(): ChangeQueue {
  const last = new Map<string, Promise<KnownRow | undefined>>();
  return async (row, change) => {
    const before = last.get(row);
    const mine = before ? before.then(change) : change(undefined);
    const ended = mine.catch(() => undefined);
    last.set(row, ended);
    try {
      await mine;
    } finally {
      if (last.get(row) === ended) last.delete(row);
    }
  };
}
