import type { EventGrid } from '../../../src/simulator/event-grid/event-grid.js';
import { countDeliveries } from '../../../src/simulator/runs/deliveries.js';

type Counts = { matched: number; requests: number; delivered: number; copies: number; retried: number };

const statsOf = (counts: Record<string, Counts>) => counts as unknown as EventGrid['stats'];

describe('when deliveries are counted', () => {
  it('given two subscriptions, then both count, from the beginning on', () => {
    const eventGrid = {
      stats: statsOf({
        one: { matched: 10, requests: 1, delivered: 9, copies: 2, retried: 3 },
        other: { matched: 100, requests: 10, delivered: 90, copies: 20, retried: 30 },
      }),
    };
    const deliveries = countDeliveries(eventGrid);

    expect(deliveries()).toEqual({ matched: 0, requests: 0, delivered: 0, duplicates: 0, retried: 0 });
    eventGrid.stats = statsOf({
      one: { matched: 15, requests: 3, delivered: 16, copies: 3, retried: 7 },
      other: { matched: 200, requests: 40, delivered: 290, copies: 70, retried: 130 },
    });

    expect(deliveries()).toEqual({ matched: 105, requests: 32, delivered: 207, duplicates: 51, retried: 104 });
  });
});
