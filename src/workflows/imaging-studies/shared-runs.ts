/**
 * Runs what many ask for at once: of one key, at most one run is under way and one in line. Who asks joins the run that
 * may still be joined, and shares what it finds.
 */
export type SharedRuns<T> = (key: string, run: Run<T>) => Promise<T>;

/** @param close from now on, who asks is not served by this run. A run that has ended is closed. */
export type Run<T> = (close: () => void) => Promise<T>;

/** A run has what it writes with from who began it, and dies with it; another two are tried, by whoever is first. */
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
    const mine: Promise<T> = before.then(() => run(close)).finally(close);
    const ended: Promise<unknown> = mine
      .catch(() => {}) // who waits hears of it
      .finally(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    joinable.set(key, mine);
    last.set(key, ended);
    return mine;

    function close(): void {
      if (joinable.get(key) === mine) joinable.delete(key);
    }
  }
}
