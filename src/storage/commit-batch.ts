import type { Operation } from './table-store.js';

const MAX_OPERATIONS = 100;
/** A transaction takes 4 MiB. The limit is lower, because `sizeOf` estimates. */
const MAX_BYTES = 3_500_000;

type Queued = { readonly operation: Operation; readonly sizeBytes: number };

/**
 * Splits `queue` into the next transaction and the rest: in order of arrival, each row once, within storage's limits.
 */
export function takeBatch<E extends Queued>(queue: readonly E[]): { batch: E[]; rest: E[] } {
  const batch: E[] = [];
  const rest: E[] = [];
  const keys = new Set<string>();
  let bytes = 0;
  let isFull = false;
  for (const entry of queue) {
    const { key } = entry.operation;
    isFull ||= batch.length === MAX_OPERATIONS || (batch.length > 0 && bytes + entry.sizeBytes > MAX_BYTES);
    if (isFull || keys.has(key)) rest.push(entry);
    else {
      batch.push(entry);
      keys.add(key);
      bytes += entry.sizeBytes;
    }
  }
  return { batch, rest };
}

/** Returns an upper estimate of an operation's bytes in a transaction, without a look at each character. */
export function sizeOf(operation: Operation): number {
  let bytes = 1000 + operation.key.length;
  if (operation.kind !== 'delete') {
    for (const name in operation.row) {
      const value = operation.row[name];
      bytes += typeof value === 'string' ? 60 + 3 * value.length : 60;
    }
  }
  return bytes;
}
