import {
  createTestGrid,
  DAY,
  DEAD_LETTERS,
  functionBody,
  HOUR,
  MINUTE,
  SECOND,
  subscribe,
  topicEvent,
  topicEvents,
} from './test-grid.js';

const dnsError = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ENOTFOUND' } });
const socketError = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } });

describe('when ten events in a row have failed', () => {
  it.each([
    { what: '500', answer: 500, seconds: 10 },
    { what: '503', answer: 503, seconds: 10 },
    { what: '408', answer: 408, seconds: 10 },
    { what: 'a broken connection', answer: socketError, seconds: 30 },
    { what: '404', answer: 404, seconds: 300 },
    { what: '401', answer: 401, seconds: 300 },
    { what: '403', answer: 403, seconds: 300 },
    { what: 'a name that nobody knows', answer: dnsError, seconds: 300 },
  ])('given $what, then new events are held back for $seconds s', async ({ answer, seconds }) => {
    const { got, pass, send } = await subscribe((_, n) => (n <= 10 ? answer : 200));
    await send(topicEvents(10), 0);

    await send([topicEvent('new')], seconds * SECOND - 1);
    expect(got.map(({ ids }) => ids)).not.toContainEqual(['new']);
    await pass(1);

    expect(got.map(({ ids }) => ids)).toContainEqual(['new']);
  });

  it('given nine failures, then new events are not held back', async () => {
    const { grid, got, send } = await subscribe((_, n) => (n <= 9 ? 500 : 200));
    await send(topicEvents(9), 0);

    await send([topicEvent('new')], 0);

    expect(got).toHaveLength(10);
    expect(grid.stats.sub?.inProbationUntil).toBeUndefined();
  });

  it('given a success in between, then the count begins anew', async () => {
    const { grid, send } = await subscribe((_, n) => (n === 6 ? 200 : 500));

    for (const event of topicEvents(11)) {
      await send([event], 0);
    }

    expect(grid.stats.sub?.inProbationUntil).toBeUndefined();
  });

  it.each([400, 413])('given %i, then there is no probation, because the events are at fault', async (status) => {
    const { grid, send } = await subscribe(() => status);

    await send(topicEvents(50), 0);

    expect(grid.stats.sub?.inProbationUntil).toBeUndefined();
  });

  it('given further failures, then each probation is twice as long, up to three hours, and ends with one request', async () => {
    const { got, pass, send } = await subscribe(() => 404, { destination: { maxEventsPerBatch: 2 } }, { seed: 0 });
    await send(topicEvents(100), 0);
    const atFirst = got.length;

    await pass(20 * HOUR);

    expect(atFirst).toBe(36); // 32 at once, and one for each of the four answers before the tenth event had failed
    const minutes = got.slice(atFirst).map(({ atMs }) => atMs / MINUTE);
    expect(minutes).toEqual([5, 15, 35, 75, 155, 315, 495, 675, 855, 1035]);
  });

  it('given the endpoint works again, then all events come at once', async () => {
    const { grid, got, pass, send } = await subscribe(({ atMs }) => (atMs < 10_000 ? 503 : 200), {}, { seed: 0 });
    await send(topicEvents(100), 9999);
    expect(grid.stats.sub).toMatchObject({
      inProbationUntil: '2026-01-01T12:00:10.000Z',
      places: { ready: 59, waiting: 41 },
    });

    await pass(1);
    expect(got).toHaveLength(100);
    await pass(MINUTE);

    expect(grid.stats.sub).toMatchObject({ delivered: 100, pending: 0, inProbationUntil: undefined });
  });

  it('given a success in between, then the next probation is as short as the first', async () => {
    const { grid, pass, send } = await subscribe(
      ({ atMs }) => (atMs === 10_000 ? 200 : 500),
      { destination: { maxEventsPerBatch: 10 } },
      { seed: 0 },
    );
    await send(topicEvents(10), 10 * SECOND);
    expect(grid.stats.sub).toMatchObject({ delivered: 10, inProbationUntil: undefined });
    await pass(5 * SECOND);

    await send(topicEvents(10), 0);

    expect(grid.stats.sub?.inProbationUntil).toBe('2026-01-01T12:00:25.000Z');
  });

  it('given a request from before succeeds, then the probation is over', async () => {
    let answerSlowly = (_status: number) => {};
    const slow = new Promise<number>((resolve) => {
      answerSlowly = resolve;
    });
    const { grid, got, pass, send } = await subscribe((_, n) => (n === 1 ? slow : n <= 11 ? 404 : 200));
    await send(topicEvents(11), SECOND);
    expect(grid.stats.sub?.inProbationUntil).toBeDefined();
    grid.publish([topicEvent('new')]);

    answerSlowly(200);
    await pass(0);

    expect(got.at(-1)?.ids).toEqual(['new']);
    expect(grid.stats.sub?.inProbationUntil).toBeUndefined();
  });

  it('given another subscription, then its events are not held back', async () => {
    const { grid, got, send } = createTestGrid(({ headers }) =>
      headers['aeg-subscription-name'] === 'BAD' ? 500 : 200,
    );
    await grid.put('bad', functionBody());
    await grid.put('good', functionBody());
    await send(topicEvents(10), 0);

    await send([topicEvent('new')], 0);

    expect(got.filter(({ ids }) => ids[0] === 'new').map(({ headers }) => headers['aeg-subscription-name'])).toEqual([
      'GOOD',
    ]);
  });

  it('given an event that becomes too old meanwhile, then it becomes a dead letter without an attempt', async () => {
    const { grid, blobs, send } = await subscribe(() => dnsError, {
      retryPolicy: { eventTimeToLiveInMinutes: 3 },
      ...DEAD_LETTERS,
    });
    await send(topicEvents(10), SECOND);

    await send([topicEvent('new')], DAY);

    const letter = blobs.flatMap(({ events }) => events).find(({ id }) => id === 'new');
    expect(letter).toMatchObject({
      deadLetterReason: 'TimeToLiveExceeded',
      deliveryAttempts: 0,
      lastDeliveryOutcome: 'Probation',
    });
    expect(letter).not.toHaveProperty('lastDeliveryAttemptTime');
    expect(grid.stats.sub).toMatchObject({ deadLettered: { TimeToLiveExceeded: 11 }, pending: 0 });
  });

  it('given a next attempt after the time to live, then the event is given up at that time, during the probation', async () => {
    const { grid, blobs, pass, send } = await subscribe(() => 404, {
      retryPolicy: { eventTimeToLiveInMinutes: 5 },
      ...DEAD_LETTERS,
    });
    await send(topicEvents(10), 4 * MINUTE);
    await send([topicEvent('tried at 5 minutes')], 2 * MINUTE);

    expect(grid.stats.sub).toMatchObject({
      inProbationUntil: '2026-01-01T12:15:00.000Z',
      places: { letters: 10, waiting: 1 },
    });
    await pass(HOUR);
    expect(blobs[0]?.events[0]).toMatchObject({ deliveryAttempts: 1, lastDeliveryOutcome: 'NotFound' });
  });

  it('given a failed event that is held back until it is too old, then its last outcome is the probation', async () => {
    const { blobs, send } = await subscribe(
      ({ ids }) => (ids[0] === 'early' ? 500 : 404),
      { retryPolicy: { eventTimeToLiveInMinutes: 2 }, ...DEAD_LETTERS },
      { seed: 0 },
    );
    await send([topicEvent('early'), ...topicEvents(10)], HOUR);

    const letter = blobs.flatMap(({ events }) => events).find(({ id }) => id === 'early');
    expect(letter).toMatchObject({ deliveryAttempts: 1, lastDeliveryOutcome: 'Probation' });
  });

  it('given a late success for an event that is held back, then it is not sent again', async () => {
    let answerLate = (_status: number) => {};
    const late = new Promise<number>((resolve) => {
      answerLate = resolve;
    });
    const { grid, got, pass, send } = await subscribe(({ ids }) => (ids[0] === 'slow' ? late : 404), {}, { seed: 0 });
    await send([topicEvent('slow')], 25 * SECOND);
    await send(topicEvents(10), 20 * SECOND);
    expect(grid.stats.sub).toMatchObject({ places: { ready: 1, waiting: 10 } });

    answerLate(200);
    await pass(MINUTE);

    expect(got.filter(({ ids }) => ids[0] === 'slow')).toHaveLength(1);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, places: { ready: 0 } });
  });
});
