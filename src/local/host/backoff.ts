/** Returns waits between polls: `firstMs`, twice as long each time, at most `longestMs`. */
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
