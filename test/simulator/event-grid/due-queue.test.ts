import fc from 'fast-check';
import { DueQueue } from '../../../src/simulator/event-grid/due-queue.js';
import { createFakeClock } from '../../../src/testing/index.js';

describe('when items are due', () => {
  it('given any times, then each item is returned at its time, and items of one time in the order of their adding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 }), (times) => {
        const clock = createFakeClock();
        const came: [number, number][] = [];
        const queue = new DueQueue<number>(clock, (items) =>
          came.push(...items.map((n) => [clock.monotonic(), n] as [number, number])),
        );
        for (const [n, atMs] of times.entries()) queue.add(atMs, n);

        clock.advance(60);

        const expected = times.map((atMs, n) => [atMs, n] as const).sort(([a, m], [b, n]) => a - b || m - n);
        expect(came).toEqual(expected);
      }),
    );
  });

  it('given many items, then the queue has one timer', () => {
    let set = 0;
    let cancelled = 0;
    const clock = createFakeClock();
    const counting = {
      ...clock,
      after(ms: number, run: () => void) {
        set += 1;
        const cancel = clock.after(ms, run);
        return () => {
          cancelled += 1;
          cancel();
        };
      },
    };
    const queue = new DueQueue<number>(counting, () => {});

    for (let n = 0; n < 1000; n += 1) queue.add(1000 + n, n);
    queue.add(5, 0);

    expect(set - cancelled).toBe(1);
    expect(set).toBe(2);
  });

  it('given an item that adds another item, then the queue returns the other item, too', () => {
    const clock = createFakeClock();
    const came: number[] = [];
    const queue = new DueQueue<number>(clock, ([n = 0]) => {
      came.push(clock.monotonic());
      if (n < 3) queue.add(clock.monotonic() + 10, n + 1);
    });
    queue.add(10, 1);

    clock.advance(100);

    expect(came).toEqual([10, 20, 30]);
  });

  it('given a queue that is cleared, then it returns no item', () => {
    const clock = createFakeClock();
    const came: number[] = [];
    const queue = new DueQueue<number>(clock, (items) => came.push(...items));
    queue.add(10, 1);

    queue.clear();
    clock.advance(100);

    expect(came).toEqual([]);
  });
});
