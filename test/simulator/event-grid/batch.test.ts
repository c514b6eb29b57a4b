import { MINUTE, subscribe, topicEvent, topicEvents } from './test-grid.js';

describe('when events are put together into batches', () => {
  it.each([
    { published: 7, most: 3, sizes: [3, 3, 1] },
    { published: 2, most: 5000, sizes: [2] },
    { published: 3, most: 1, sizes: [1, 1, 1] },
  ])('given $published events and at most $most, then requests of $sizes', async ({ published, most, sizes }) => {
    const { got, send } = await subscribe(() => 200, { destination: { maxEventsPerBatch: most } });

    await send(topicEvents(published), 0);

    expect(got.map(({ ids }) => ids.length)).toEqual(sizes);
    expect(got.flatMap(({ ids }) => ids)).toEqual(topicEvents(published).map(({ id }) => id));
  });

  it('given events of one turn, then they share a request, which does not wait for events of the next turn', async () => {
    const { grid, got, send } = await subscribe(() => 200, { destination: { maxEventsPerBatch: 10 } });

    grid.publish([topicEvent('a')]);
    await send([topicEvent('b')], 0);
    await send([topicEvent('c')], 0);

    expect(got.map(({ ids }) => ids)).toEqual([['a', 'b'], ['c']]);
  });

  it('given the preferred size, then no request is larger, except for a single event that is larger itself', async () => {
    const big = (id: string, bytes: number) => topicEvent(id, { data: { text: 'é'.repeat(bytes / 2) } });
    const { got, send } = await subscribe(() => 200, {
      destination: { maxEventsPerBatch: 100, preferredBatchSizeInKilobytes: 2 },
    });

    await send([big('a', 600), big('b', 600), big('c', 600), big('d', 5000), big('e', 10)], 0);

    expect(got.map(({ ids }) => ids)).toEqual([['a', 'b'], ['c'], ['d'], ['e']]);
    expect(Buffer.byteLength(got[0]?.body ?? '')).toBeLessThanOrEqual(2048);
  });

  it('given more events than 32 requests take, then 32 are under way, and the rest gathers', async () => {
    let release = (_status: number) => {};
    const first = new Promise<number>((resolve) => {
      release = resolve;
    });
    const { grid, got, pass, send } = await subscribe(() => first, { destination: { maxEventsPerBatch: 2 } });

    await send(topicEvents(70), 0);
    expect(got).toHaveLength(32);
    expect(grid.stats.sub).toMatchObject({ pending: 70, places: { sent: 64, ready: 6 } });
    release(200);
    await pass(0);

    expect(got).toHaveLength(35);
    expect(grid.stats.sub).toMatchObject({ delivered: 70, pending: 0, requests: 35 });
  });

  it('given events with different numbers of attempts, then they do not share a request', async () => {
    const { grid, got, pass, send } = await subscribe(
      (_, n) => (n === 1 ? 500 : 200),
      { destination: { maxEventsPerBatch: 10 } },
      { seed: 0 },
    );
    grid.publish(topicEvents(10, 'old'));
    await pass(5000); // ten failed in a row: nothing is sent before 10 s have passed

    await send([topicEvent('new')], MINUTE);

    expect(got.map(({ ids, headers }) => [ids.length, ids[0], headers['aeg-delivery-count']])).toEqual([
      [10, 'old0', '0'],
      [1, 'new', '0'],
      [10, 'old0', '1'],
    ]);
  });
});
