/**
 * Shares runs among concurrent callers: for each key at most one run is under way and one is queued. A caller joins the
 * run that is still open and gets its result.
 */
type SharedRuns<T> = (key: string, run: Run<T>) => Promise<T>;

/** One run. Later callers do not join after `close` is called, or after the run has ended. */
type Run<T> = (close: () => void) => Promise<T>;

/**
 * A run uses the tables of the caller that started it, so it fails when that caller loses its lease. The callers that
 * have joined then join another run, or start one: twice at most.
 */
const MAX_FAILED_RUNS_OF_OTHERS = 2;

export function createSharedRuns<T>(): SharedRuns<T> {
  const joinable = new Map<string, Promise<T>>();
  const last = new Map<string, Promise<unknown>>();

  return async (key, run) => {
    for (let failed = 0; ; ) {
      const joined = joinable.get(key);
      if (!joined) return begin(key, run);
      try {
        return await joined;
      } catch (error) {
        failed += 1;
        if (failed > MAX_FAILED_RUNS_OF_OTHERS) throw error;
      }
    }
  };

  function begin(key: string, run: Run<T>): Promise<T> {
    const before = last.get(key) ?? Promise.resolve();
    const started: Promise<T> = before.then(() => run(close)).finally(close);
    const ended: Promise<unknown> = started
      .catch(() => {}) // callers that wait get the error
      .finally(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    joinable.set(key, started);
    last.set(key, ended);
    return started;

    function close(): void {
      if (joinable.get(key) === started) joinable.delete(key);
    }
  }
}
