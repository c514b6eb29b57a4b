/** Time as an argument: everything that waits or asks what time it is does so through this. */
export type Clock = {
  /** The wall clock. The app's follows storage's, to within a second or so: for people and due times, never for leases. */
  now(): Date;
  /** Milliseconds of a clock that only goes forward. Leases and deadlines are counted on it. */
  monotonic(): number;
  /** Calls `run` once after `ms`; the function returned cancels. Never calls `run` synchronously. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` at the end of this turn of the event loop, when what arrived in it has been handled. */
  endOfTurn(run: () => void): void;
};

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  endOfTurn: (run) => void setImmediate(run),
};

/** Resolves after `ms`, or as soon as `signal` aborts: who waits looks at the signal himself. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal?.addEventListener('abort', end);
  });
}

/** Randomness as an argument. */
export type Random = {
  /** At least 0, less than 1. */
  number(): number;
  /** A token that nothing else has: 16 characters that may stand in any key. */
  token(): string;
};
