import type { Reason } from './dead-letters.js';
import type { Stage } from './entry.js';
import type { Outcome } from './retry.js';

const LAG_BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];

/** The counts of one subscription since it was made, and its state now. The size is fixed. */
export type SubscriptionStats = Readonly<Counts> & {
  /** Events that are neither delivered, nor dead-lettered, nor dropped yet. */
  readonly pending: number;
  /** Pending events by stage; `letters` are dead letters that are not written yet. */
  readonly places: Readonly<Record<Exclude<Stage, 'over'>, number>>;
  /** The end of the probation, by the wall clock of the schedule. */
  readonly inProbationUntil: string | undefined;
  /** The real time from publishing to the acknowledgement. */
  readonly lag: ReturnType<ReturnType<typeof createLag>['read']>;
};

type Counts = ReturnType<typeof newCounts>;

export function newCounts() {
  return {
    /** Events that the filter wanted. */
    matched: 0,
    /** Matched events that interference withholds for ever. */
    withheld: 0,
    /** Additional copies by interference. */
    copies: 0,
    /** Delivered events, counted at the first acknowledgement of each. */
    delivered: 0,
    requests: 0,
    /** Events sent in requests that were not their first. */
    retried: 0,
    /** Failed requests, by outcome. */
    failed: {} as Partial<Record<Outcome, number>>,
    deadLettered: {} as Partial<Record<Reason, number>>,
    dropped: {} as Partial<Record<Reason | 'DeadLetterUnavailable', number>>,
  };
}

export function countOne<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Returns an empty histogram of lags in ms. Its size does not grow with the number of events. */
export function createLag() {
  const counts = new Array<number>(LAG_BUCKETS_MS.length + 1).fill(0);
  let count = 0;
  let sumMs = 0;
  let maxMs = 0;

  return {
    add(ms: number): void {
      count += 1;
      sumMs += ms;
      maxMs = Math.max(maxMs, ms);
      const found = LAG_BUCKETS_MS.findIndex((withinMs) => ms <= withinMs);
      const at = found < 0 ? LAG_BUCKETS_MS.length : found;
      counts[at] = (counts[at] ?? 0) + 1;
    },

    read: () => ({
      count,
      sumMs,
      maxMs,
      /** The number of events within `withinMs` and not within the bucket before; null: more than all buckets. */
      buckets: counts.map((count, at) => ({ withinMs: LAG_BUCKETS_MS[at] ?? null, count })),
    }),
  };
}
