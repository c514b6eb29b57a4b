import type { EventGrid } from '../event-grid/event-grid.js';

/** The counts of Event Grid, over all subscriptions. */
export type Deliveries = ReturnType<ReturnType<typeof countDeliveries>>;

const COUNTS = ['matched', 'requests', 'delivered', 'copies', 'retried'] as const;

/** Returns a function that counts deliveries from now on. */
export function countDeliveries(eventGrid: Pick<EventGrid, 'stats'>) {
  const sumOf = (name: (typeof COUNTS)[number]) =>
    Object.values(eventGrid.stats).reduce((sum, stats) => sum + stats[name], 0);
  const before = COUNTS.map(sumOf);
  return () => {
    const [matched = 0, requests = 0, delivered = 0, duplicates = 0, retried = 0] = COUNTS.map(
      (name, at) => sumOf(name) - (before[at] ?? 0),
    );
    return {
      /** Events that a subscription matched, once for each subscription. */
      matched,
      requests,
      delivered,
      /** Additional copies by chaos. */
      duplicates,
      /** Events sent again after a failed attempt. */
      retried,
    };
  };
}
