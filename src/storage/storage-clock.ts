import type { Clock } from '../clock.js';
import type { TableStore } from './table-store.js';

/** Storage dates its answers in full seconds. */
const SECOND_MS = 1000;

export type StorageClock = {
  /** `store`, whose answers are looked at. */
  readonly tables: TableStore;
  readonly clock: Clock;
  /** The same time as `clock`; asks storage first where no answer has come yet. For what deletes, what chooses what to change, and rows that may be the first call. */
  readonly storageNow: () => Promise<Date>;
};

/**
 * A wall clock that all instances of the app agree on: storage's own. Instances compare each other's times (when a row is
 * due, since when a job is tried, how old a dead letter is), and the clock of a machine can be a day off.
 *
 * An answer dated D, sent for at monotonic time s and here at r, says that storage's clock less the monotonic clock was
 * between D - r and D + 1 s - s. `now` is this machine's wall clock, moved into these bounds: a clock that is right stays
 * as it is, and one that is wrong is corrected to within the round trip and a second. Bounds narrow with each answer; where
 * two contradict each other (the machine stood still, a clock drifts), the newer ones apply.
 *
 * Until the first answer it is this machine's clock. The claim of a job is an answer before the job's row; a row that is
 * written without a claim asks for the time by `storageNow`.
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
      if (latestMs === Number.POSITIVE_INFINITY) await tables.query('waiting', { limit: 1 });
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
    const isContradiction = earliest > latestMs || latest < earliestMs;
    earliestMs = isContradiction ? earliest : Math.max(earliest, earliestMs);
    latestMs = isContradiction ? latest : Math.min(latest, latestMs);
  }
}
