import type { Clock } from './clock.js';

/**
 * Returns a function that counts at most once in `ms`: all calls in that time share one answer. A failed count is not
 * kept.
 */
export function createSharedCount<T>(
  count: () => Promise<T>,
  { clock, ms }: { clock: Pick<Clock, 'monotonic'>; ms: number },
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
