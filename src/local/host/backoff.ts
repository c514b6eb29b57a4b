/** How long to wait before looking again: `firstMs`, twice as long each time, `longestMs` at most. */
export type Backoff = { next(): number; reset(): void };

export function createBackoff(firstMs: number, longestMs: number): Backoff {
  let nextMs = firstMs;
  return {
    next() {
      const waitMs = Math.min(nextMs, longestMs);
      nextMs = waitMs * 2;
      return waitMs;
    },
    reset() {
      nextMs = firstMs;
    },
  };
}
