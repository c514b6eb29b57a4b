import { EventGrid } from '../../../src/simulator/event-grid/event-grid.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { heapNow, MEGABYTE } from './heap.js';
import { DEAD_LETTERS, functionBody, noInterference, topicEvents, untilIdle } from './test-grid.js';

const ACCEPTED = { status: 202, headers: new Headers(), body: '' };

describe('when very many events have been delivered', () => {
  it('given ten times as many, then memory holds no more than before', async () => {
    const clock = createFakeClock();
    const grid = new EventGrid({
      schedule: clock,
      clock,
      random: seededRandom(1),
      post: async () => ACCEPTED,
      writeDeadLetter: async () => {},
      functionUrl: (name) => name,
      validationUrl: (code) => code,
      interference: noInterference,
    });
    await grid.put('batches', functionBody({ destination: { maxEventsPerBatch: 100 }, ...DEAD_LETTERS }));
    await grid.put('singles', functionBody({ eventDeliverySchema: 'CloudEventSchemaV1_0' }));
    await deliver(20_000);
    const before = { places: placesNow(), heap: heapNow() };

    await deliver(200_000);

    expect(grid.stats).toMatchObject({ batches: { delivered: 220_000 }, singles: { delivered: 220_000 } });
    expect(placesNow()).toEqual(before.places);
    expect(heapNow() - before.heap).toBeLessThan(2 * MEGABYTE);
    grid.stop();

    async function deliver(events: number): Promise<void> {
      for (let n = 0; n < events; n += 1000) {
        grid.publish(topicEvents(1000, `${n}-`));
        await untilIdle(grid);
      }
    }

    function placesNow(): unknown {
      return Object.values(grid.stats).map(({ places }) => places);
    }
  });
});
