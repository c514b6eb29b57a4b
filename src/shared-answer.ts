import type { Clock } from './clock.js';

/** Returns a function that calls `ask` at most once in `ms`: all calls in that time share its answer. A failure is not kept. */
export function createSharedAnswer<T>(
  ask: () => Promise<T>,
  { clock, ms }: { clock: Pick<Clock, 'monotonic'>; ms: number },
): () => Promise<T> {
  let last: { answer: Promise<T>; askedAtMs: number } | undefined;
  return () => {
    if (last && clock.monotonic() - last.askedAtMs < ms) return last.answer;
    const asked = { answer: ask(), askedAtMs: clock.monotonic() };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}
