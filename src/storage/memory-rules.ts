import type { Clock } from '../clock.js';
import { StorageError } from './table-store.js';

const SECOND_MS = 1_000;

/** Returns the current full second: storage dates its answers and blobs so. */
export function fullSecond(clock: Pick<Clock, 'now'>): Date {
  return new Date(Math.floor(clock.now().getTime() / SECOND_MS) * SECOND_MS);
}

/** @throws StorageError if `signal` has aborted, as the SDK does before it sends a request. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StorageError('aborted', 'The caller aborted before the request was sent.');
}
