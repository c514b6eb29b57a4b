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

const COUNTS = ['matched', 'requests', 'delivered', 'copies', 'retried'] as const;

/** Returns a function that counts deliveries from now on. */
export function countDeliveries(eventGrid: Pick<EventGrid, 'stats'>): () => Deliveries {
  const sumOf = (name: (typeof COUNTS)[number]) =>
    Object.values(eventGrid.stats).reduce((sum, stats) => sum + stats[name], 0);
  const before = COUNTS.map(sumOf);
  return () => {
    const [matched = 0, requests = 0, delivered = 0, duplicates = 0, retried = 0] = COUNTS.map(
      (name, at) => sumOf(name) - (before[at] ?? 0),
    );
    return { matched, requests, delivered, duplicates, retried };
  };
}
