import type { Row } from '../storage/table-store.js';

/**
 * Changes of one row are made one after the other within a process, each beginning with what the one before has
 * written: so that versions of a resource that arrive together neither refuse each other's writes nor read twice.
 * It only saves requests: what is not so any more, or was changed elsewhere, the condition of the write refuses.
 */
export type RowTurns = (row: string, change: RowChange) => Promise<void>;

/** @param known the row as the change before has left it; undefined where there was none, or it failed */
export type RowChange = (known: KnownRow | undefined) => Promise<KnownRow>;

/** `stored` is undefined where there is no row. */
export type KnownRow = { readonly stored: { readonly row: Row; readonly etag: string } | undefined };

export function createRowTurns(): RowTurns {
  const last = new Map<string, Promise<KnownRow | undefined>>();
  return async (row, change) => {
    const before = last.get(row);
    const mine = before ? before.then(change) : change(undefined);
    const told = mine.catch(() => undefined);
    last.set(row, told);
    try {
      await mine;
    } finally {
      if (last.get(row) === told) last.delete(row);
    }
  };
}
