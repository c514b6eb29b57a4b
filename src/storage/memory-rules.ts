import type { Clock } from '../clock.js';
import { StorageError } from './table-store.js';

const SECOND_MS = 1_000;

/** Storage dates its answers, and its blobs, in full seconds. */
export function fullSecond(clock: Pick<Clock, 'now'>): Date {
  return new Date(Math.floor(clock.now().getTime() / SECOND_MS) * SECOND_MS);
}

/** @throws StorageError, as the SDK does before it sends anything, where the caller has given up already. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StorageError('aborted', 'The caller has given up; nothing was sent.');
}
