import type { Clock } from '../../clock.js';

/** A clock whose time runs `scale` times as fast as that of another: at 1440, a day passes in a minute. */
export type ScaledClock = ReturnType<typeof scaledClock>;

type Timer = { atMs: number; run: () => void; cancel: () => void };

/** Returns a clock that runs `scale` times as fast. @throws RangeError where `scale` is not a positive number. */
export function scaledClock(clock: Clock, scale: number) {
  const time = createScaledTime(clock, scale);
  const timers = new Set<Timer>();
  const arm = (timer: Timer) => {
    timer.cancel = clock.after(time.realMsUntil(timer.atMs), () => {
      timers.delete(timer);
      timer.run();
    });
  };

  return {
    /** Changes the scale from now on. Timers keep their time on this clock, so they fire sooner or later than before. */
    setScale(next: number): void {
      time.setScale(next);
      for (const timer of timers) {
        timer.cancel();
        arm(timer);
      }
    },

    now: () => new Date(time.wallMs()),
    monotonic: time.passedMs,

    after(ms: number, run: () => void) {
      const timer: Timer = { atMs: time.passedMs() + ms, run, cancel: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },

    endOfTurn: clock.endOfTurn,
  } satisfies Clock & Record<string, unknown>;
}

function createScaledTime(clock: Clock, first: number) {
  let start = startAt(clock.now().getTime(), clock.monotonic(), first);
  const elapsedMs = () => (clock.monotonic() - start.sinceMs) * start.scale;
  const wallMs = () => start.wallMs + elapsedMs();
  const passedMs = () => start.passedMs + elapsedMs();

  return {
    wallMs,
    passedMs,
    /** Returns the wait on the other clock until `atMs` on this one. */
    realMsUntil: (atMs: number) => Math.max(0, (atMs - passedMs()) / start.scale),
    setScale(next: number) {
      start = startAt(wallMs(), passedMs(), next);
    },
  };

  function startAt(wallMs: number, passedMs: number, scale: number) {
    if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`scale is ${scale}; give a number above 0.`);
    return { wallMs, passedMs, scale, sinceMs: clock.monotonic() };
  }
}
