import { type Entry, Stages } from '../../../src/simulator/event-grid/entry.js';
import { AS_USUAL } from '../../../src/simulator/event-grid/interference.js';
import { Ready } from '../../../src/simulator/event-grid/ready.js';
import { heapNow, MEGABYTE } from './heap.js';
import { topicEvent } from './test-grid.js';

function entryOf(places: Stages, id: string, attempts = 0): Entry {
  const entry = places.enter({ event: topicEvent(id), atMs: 0, scheduleMs: 0 }, 'ready');
  entry.attempts = attempts;
  return entry;
}

describe('when events become ready', () => {
  it('given different numbers of attempts, then the queue of the event that has waited longest is first', () => {
    const places = new Stages();
    const ready = new Ready(() => AS_USUAL);
    ready.add(entryOf(places, 'a', 1));
    ready.add(entryOf(places, 'b', 0));
    ready.add(entryOf(places, 'c', 1));

    const order: [number | undefined, string | undefined][] = [];
    for (let queue = ready.first(); queue; queue = ready.first()) {
      order.push([queue.attempts, queue.peek()?.published.event.id]);
      queue.take();
    }

    expect(order).toEqual([
      [1, 'a'],
      [0, 'b'],
      [1, 'c'],
    ]);
  });

  it('given an event that was removed, then it is skipped', () => {
    const places = new Stages();
    const ready = new Ready(() => AS_USUAL);
    const gone = entryOf(places, 'gone');
    ready.add(gone);
    places.move(gone, 'over');

    expect(ready.first()).toBeUndefined();
    ready.add(entryOf(places, 'here'));

    expect(ready.first()?.peek()?.published.event.id).toBe('here');
  });

  it('given very many events over time, a few at once, then memory holds only these few', () => {
    const places = new Stages();
    const ready = new Ready(() => AS_USUAL);
    for (let n = 0; n < 1000; n += 1) ready.add(entryOf(places, `${n}`));
    const before = heapNow();

    for (let n = 0; n < 1_000_000; n += 1) {
      ready.first()?.take();
      ready.add(entryOf(places, 'x'));
    }

    expect(heapNow() - before).toBeLessThan(3 * MEGABYTE);
  });

  it('given an event taken from among many, then memory no longer holds it', () => {
    const places = new Stages();
    const ready = new Ready(() => AS_USUAL);
    for (let n = 0; n < 20_000; n += 1) ready.add(entryOf(places, `${n}`));
    const before = heapNow();

    for (let n = 0; n < 9000; n += 1) ready.first()?.take();

    expect(before - heapNow()).toBeGreaterThan(2 * MEGABYTE);
  });
});
