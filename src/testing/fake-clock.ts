import { type Clock, systemClock } from '../clock.js';

/** A clock that moves only when a test calls `advance`. */
export type FakeClock = Clock & {
  /** Lets `ms` pass. Timers run at their own time, in order, including timers that they start. */
  advance(ms: number): void;
};

type Timer = { atMs: number; run: () => void };

/** Returns a clock that stands at `startAt`. */
export function createFakeClock(startAt = '2026-01-01T12:00:00.000Z'): FakeClock {
  const startMs = Date.parse(startAt);
  const timers = new Set<Timer>();
  let passedMs = 0;

  return {
    now: () => new Date(startMs + passedMs),
    monotonic: () => passedMs,
    after(ms, run) {
      const timer = { atMs: passedMs + ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    endOfTurn: systemClock.endOfTurn,
    advance(ms) {
      const untilMs = passedMs + ms;
      for (let timer = nextOf(timers); timer && timer.atMs <= untilMs; timer = nextOf(timers)) {
        timers.delete(timer);
        passedMs = timer.atMs;
        timer.run();
      }
      passedMs = untilMs;
    },
  };
}

function nextOf(timers: ReadonlySet<Timer>): Timer | undefined {
  return [...timers].sort((a, b) => a.atMs - b.atMs)[0];
}
