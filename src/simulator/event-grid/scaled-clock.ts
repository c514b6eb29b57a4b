import type { Clock } from '../../clock.js';

/** A clock whose time runs `scale` times as fast as that of another: at 1440, a day passes in a minute. */
export type ScaledClock = Clock & {
  readonly scale: number;
  /** From now on. What was asked for comes at its own time of this clock, so sooner or later than it would have. */
  setScale(scale: number): void;
};

type Timer = { atMs: number; run: () => void; cancel: () => void };

/** @throws RangeError where `scale` is not a positive number. */
export function scaledClock(clock: Clock, scale: number): ScaledClock {
  let now = startAt(clock.now().getTime(), clock.monotonic(), scale);
  const timers = new Set<Timer>();

  return {
    get scale() {
      return now.scale;
    },

    setScale(next) {
      now = startAt(wallMs(), passedMs(), next);
      for (const timer of timers) {
        timer.cancel();
        set(timer);
      }
    },

    now: () => new Date(wallMs()),
    monotonic: passedMs,

    after(ms, run) {
      const timer: Timer = { atMs: passedMs() + ms, run, cancel: () => {} };
      timers.add(timer);
      set(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },

    endOfTurn: clock.endOfTurn,
  };

  function set(timer: Timer): void {
    timer.cancel = clock.after(Math.max(0, (timer.atMs - passedMs()) / now.scale), () => {
      timers.delete(timer);
      timer.run();
    });
  }

  function passedMs(): number {
    return now.passedMs + (clock.monotonic() - now.sinceMs) * now.scale;
  }

  function wallMs(): number {
    return now.wallMs + (clock.monotonic() - now.sinceMs) * now.scale;
  }

  function startAt(wallMs: number, passedMs: number, scale: number) {
    if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`scale is ${scale}; give a number above 0.`);
    return { wallMs, passedMs, scale, sinceMs: clock.monotonic() };
  }
}
