import type { Clock } from '../../src/clock.js';

/** A clock that moves only by `advance`. `timers` is the number of timers that wait. */
export type TestClock = Clock & { advance(ms: number): void; readonly timers: number };

export function createTestClock(startAt = '2026-03-01T12:00:00Z'): TestClock {
  const startMs = Date.parse(startAt);
  const waiting = new Set<{ atMs: number; run: () => void }>();
  let passedMs = 0;

  return {
    now: () => new Date(startMs + passedMs),
    monotonic: () => passedMs,
    after(ms, run) {
      const timer = { atMs: passedMs + ms, run };
      waiting.add(timer);
      return () => void waiting.delete(timer);
    },
    endOfTurn: (run) => void setImmediate(run),
    advance(ms) {
      passedMs += ms;
      for (const timer of [...waiting].sort((one, other) => one.atMs - other.atMs)) {
        if (timer.atMs > passedMs || !waiting.delete(timer)) continue;
        timer.run();
      }
    },
    get timers() {
      return waiting.size;
    },
  };
}
