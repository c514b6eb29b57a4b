import type { EventGrid } from '../event-grid/event-grid.js';

/** What Event Grid has done, for whomever. */
export type Deliveries = {
  /** Wanted by a subscription, once for each. */
  readonly matched: number;
  readonly requests: number;
  readonly delivered: number;
  /** By chaos: sent though they had been sent. */
  readonly duplicates: number;
  /** Sent again, for an attempt had failed. */
  readonly retried: number;
};

/** Counts from now on. */
export function countDeliveries(eventGrid: Pick<EventGrid, 'stats'>): () => Deliveries {
  const before = sumOf(eventGrid);
  return () => {
    const now = sumOf(eventGrid);
    return {
      matched: now.matched - before.matched,
      requests: now.requests - before.requests,
      delivered: now.delivered - before.delivered,
      duplicates: now.duplicates - before.duplicates,
      retried: now.retried - before.retried,
    };
  };
}

function sumOf({ stats }: Pick<EventGrid, 'stats'>): Deliveries {
  const sum = { matched: 0, requests: 0, delivered: 0, duplicates: 0, retried: 0 };
  for (const { matched, requests, delivered, copies, retried } of Object.values(stats)) {
    sum.matched += matched;
    sum.requests += requests;
    sum.delivered += delivered;
    sum.duplicates += copies;
    sum.retried += retried;
  }
  return sum;
}
