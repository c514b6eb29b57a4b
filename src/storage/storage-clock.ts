import type { Clock } from '../clock.js';
import { APP_TABLES } from './app-tables.js';
import type { TableStore } from './table-store.js';

const SECOND_MS = 1000;

/** Returns the current full second, as storage dates its answers and blobs. */
export function fullSecond(clock: Pick<Clock, 'now'>): Date {
  return new Date(Math.floor(clock.now().getTime() / SECOND_MS) * SECOND_MS);
}

type StorageClock = {
  /** The store whose answers set the clock. */
  readonly tables: TableStore;
  readonly clock: Clock;
  /**
   * Returns the time of `clock`; reads storage first if there was no answer yet. For deletions, for filters by time, and
   * for rows that may be the first write of a process.
   */
  readonly storageNow: () => Promise<Date>;
};

/**
 * Returns a wall clock that all instances of the app share: storage's own (T1). Instances compare each other's times
 * (when a row is due, since when a job is tried, how old a dead letter is), and the clock of a machine can be a day
 * off.
 *
 * A request sent at monotonic time s, with an answer dated D at r, proves that storage's clock minus the monotonic
 * clock was between D - r and D + 1 s - s. `now` is this machine's wall clock, moved into these bounds. So a right
 * clock stays as it is, and a wrong clock is corrected to within the round trip and a second. Each answer narrows the
 * bounds. If two answers contradict each other (the machine was suspended, a clock drifts), the newer one counts (T2).
 *
 * Until the first answer `now` is this machine's clock. The claim of a job is an answer before the job's row. A row
 * without a claim reads the time by `storageNow`.
 */
export function createStorageClock(store: TableStore, own: Clock): StorageClock {
  let earliestMs = Number.NEGATIVE_INFINITY;
  let latestMs = Number.POSITIVE_INFINITY;

  const tables: TableStore = {
    ...store,
    commit: (...all) => observed(() => store.commit(...all)),
    read: (...all) => observed(() => store.read(...all)),
    query: (...all) => observed(() => store.query(...all)),
  };
  return {
    tables,
    clock: { ...own, now },
    async storageNow() {
      if (latestMs === Number.POSITIVE_INFINITY) await tables.query(APP_TABLES.waiting, { limit: 1 });
      return now();
    },
  };

  function now(): Date {
    const ownMs = own.now().getTime();
    const nowMs = own.monotonic();
    return new Date(Math.min(Math.max(ownMs, earliestMs + nowMs), latestMs + nowMs));
  }

  async function observed<A extends object>(call: () => Promise<A>): Promise<A> {
    const sentAtMs = own.monotonic();
    const answer = await call();
    if ('now' in answer && answer.now instanceof Date) observe(answer.now.getTime(), sentAtMs);
    return answer;
  }

  function observe(dateMs: number, sentAtMs: number): void {
    const earliest = dateMs - own.monotonic();
    const latest = dateMs + SECOND_MS - sentAtMs;
    const isContradiction = earliest > latestMs || latest < earliestMs; // T2: the newer answer counts
    earliestMs = isContradiction ? earliest : Math.max(earliest, earliestMs);
    latestMs = isContradiction ? latest : Math.min(latest, latestMs);
  }
}
