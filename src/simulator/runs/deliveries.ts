import type { EventGrid } from '../event-grid/event-grid.js';

/** The counts of Event Grid, over all subscriptions. */
export type Deliveries = {
  /** Events that a subscription matched, once for each subscription. */
  readonly matched: number;
  readonly requests: number;
  readonly delivered: number;
  /** Additional copies by chaos. */
  readonly duplicates: number;
  /** Events sent again after a failed attempt. */
  readonly retried: number;
};

/** Returns a function that counts deliveries from now on. */
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
