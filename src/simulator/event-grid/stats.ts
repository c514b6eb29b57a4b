import type { Reason } from './dead-letters.js';
import type { Stage } from './entry.js';
import type { Outcome } from './retry.js';

const LAG_BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];

/** What has happened for one subscription since it was made, and what is going on now. Never grows. */
export type SubscriptionStats = Readonly<Counts> & {
  /** Neither delivered, nor dead-lettered, nor dropped yet. */
  readonly pending: number;
  /** Where these are: held back by interference, ready for a request, in one, waiting for the next, due as letters. */
  readonly places: Readonly<Record<Exclude<Stage, 'over'>, number>>;
  /** On the wall clock of the schedule. */
  readonly inProbationUntil: string | undefined;
  /** Of real time, from publishing to the acknowledgement. */
  readonly lag: Lag;
};

export type Counts = {
  /** Events that the filter wanted. */
  matched: number;
  /** Of those, the ones that interference never let go. */
  withheld: number;
  /** Beyond one of each, by interference. */
  copies: number;
  /** Events: by the first acknowledgement of each. */
  delivered: number;
  requests: number;
  /** Events sent in requests that were not their first. */
  retried: number;
  /** Failed requests, by outcome. */
  failed: Partial<Record<Outcome, number>>;
  deadLettered: Partial<Record<Reason, number>>;
  dropped: Partial<Record<Reason | 'DeadLetterUnavailable', number>>;
};

export type Lag = {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** How many came within so many ms, and not within those of the bucket before; null: longer than all. */
  readonly buckets: readonly { readonly withinMs: number | null; readonly count: number }[];
};

export function newCounts(): Counts {
  return {
    matched: 0,
    withheld: 0,
    copies: 0,
    delivered: 0,
    requests: 0,
    retried: 0,
    failed: {},
    deadLettered: {},
    dropped: {},
  };
}

export function countOne<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export function createLag(): { add(ms: number): void; read(): Lag } {
  const counts = new Array<number>(LAG_BUCKETS_MS.length + 1).fill(0);
  let count = 0;
  let sumMs = 0;
  let maxMs = 0;

  return {
    add(ms) {
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
      buckets: counts.map((count, at) => ({ withinMs: LAG_BUCKETS_MS[at] ?? null, count })),
    }),
  };
}
