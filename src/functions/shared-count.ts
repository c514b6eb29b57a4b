import type { Clock } from '../clock.js';

/**
 * Counts at most once in `ms`, however often and by however many it is asked; who asks meanwhile gets the same answer.
 * One that failed is not kept.
 */
export function createSharedCount<T>(
  count: () => Promise<T>,
  { clock, ms }: { clock: Clock; ms: number },
): () => Promise<T> {
  let last: { answer: Promise<T>; askedAtMs: number } | undefined;
  return () => {
    if (last && clock.monotonic() - last.askedAtMs < ms) return last.answer;
    const mine = { answer: count(), askedAtMs: clock.monotonic() };
    last = mine;
    mine.answer.catch(() => {
      if (last === mine) last = undefined;
    });
    return mine.answer;
  };
}
