/** Time as an argument. All code that waits or reads the time does so through a clock, so that tests can move it. */
export type Clock = {
  /**
   * The wall clock. The app's clock follows storage's within about a second. For people and due times, not for leases.
   */
  now(): Date;
  /** Milliseconds of a clock that only goes forward. Leases and deadlines count on this clock. */
  monotonic(): number;
  /** Calls `run` once after `ms`, never synchronously. The returned function cancels. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` at the end of this turn of the event loop, after the work that arrived in the turn. */
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

/** Resolves after `ms`, or as soon as `signal` aborts. It never rejects: the caller checks the signal. */
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

/** Resolves when `work` has ended, or after `ms`; with true if `work` has ended. */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(clock, ms, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}

/**
 * One reason to end a call early: `watch` calls `end` with the call's result. It returns the function that stops it.
 */
type EarlyEnd<T> = (end: (result: T | PromiseLike<T>) => void) => () => void;

/**
 * Resolves or rejects as `call` does, or with the result of the first of `reasons` that ends the call. Then the signal
 * that `call` has received aborts, and a later result of `call` is ignored.
 */
export function endEarly<T>(call: (signal: AbortSignal) => Promise<T>, reasons: readonly EarlyEnd<T>[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const inner = new AbortController();
    let stops: (() => void)[] = [];
    const stopAll = () => {
      for (const stop of stops) stop();
    };
    const end = (result: T | PromiseLike<T>) => {
      stopAll();
      resolve(result);
      inner.abort();
    };
    stops = reasons.map((watch) => watch(end));
    startCall(call, inner.signal).then(
      (value) => {
        stopAll();
        resolve(value);
      },
      (error: unknown) => {
        stopAll();
        reject(error);
      },
    );
  });
}

/** Ends a call when `signal` aborts. The caller checks beforehand whether it has aborted. */
export function onAbort<T>(signal: AbortSignal | undefined, result: () => T | PromiseLike<T>): EarlyEnd<T> {
  return (end) => {
    const abort = () => end(result());
    signal?.addEventListener('abort', abort);
    return () => signal?.removeEventListener('abort', abort);
  };
}

/** Async, so that a call which throws before it returns a promise rejects as any other call. */
async function startCall<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return call(signal);
}

/** Randomness as an argument. */
export type Random = {
  /** At least 0, less than 1. */
  number(): number;
  /** A unique token: 16 characters that are valid in any key. */
  token(): string;
};
