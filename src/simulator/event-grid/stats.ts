import type { Reason } from './dead-letters.js';
import type { Outcome } from './retry.js';

/** Returns the counts of a new subscription. */
export function createCounts() {
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

/** Adds 1 to the count of `key`. */
export function countOne<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
