import type { Row } from '../storage/table-store.js';

/**
 * Runs the changes of one row one after the other within a process. Each change starts from the row that the previous one
 * has written, so versions of a resource that arrive together cause no conflicts and no second read. The queue only saves
 * requests: if another process has changed the row, storage refuses the write.
 */
export type ChangeQueue = (row: string, change: Change) => Promise<void>;

/** @param known the row that the previous change has left; undefined if there was no previous change, or it failed */
type Change = (known: KnownRow | undefined) => Promise<KnownRow>;

/** A row as this process has read or written it last. `stored` is undefined if there is no row. */
export type KnownRow = { readonly stored: { readonly row: Row; readonly etag: string } | undefined };

/** Returns an empty queue. */
export function createChangeQueue(): ChangeQueue {
  const last = new Map<string, Promise<KnownRow | undefined>>();
  return async (row, change) => {
    const before = last.get(row);
    const changed = before ? before.then(change) : change(undefined);
    const ended = changed.catch(() => undefined);
    last.set(row, ended);
    try {
      await changed;
    } finally {
      if (last.get(row) === ended) last.delete(row);
    }
  };
}
