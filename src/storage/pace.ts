import { type Clock, sleep } from '../clock.js';
import { StorageError } from './table-store.js';

/** The pauses before a call is repeated. They are long, because busy storage fails for all calls under way at once. */
const PAUSES_MS = [1000, 5000, 15_000];

/** Returns a function that waits for its turn: at most `perSecond` turns a second. The wait ends when `signal` aborts. */
export function createTurns(perSecond: number, { clock, signal }: { clock: Clock; signal?: AbortSignal }) {
  let nextAtMs = clock.monotonic();
  return async (): Promise<void> => {
    const nowMs = clock.monotonic();
    const atMs = Math.max(nowMs, nextAtMs);
    nextAtMs = atMs + 1000 / perSecond;
    if (atMs > nowMs) await sleep(clock, atMs - nowMs, signal);
  };
}

/** Calls `act` again if storage fails, a few times; `act` must be safe to run twice. */
export async function withRetries<T>(
  act: () => Promise<T>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof StorageError) || error.isRejected || signal.aborted) throw error;
      await sleep(clock, pauseMs, signal);
    }
  }
  return act();
}
