import { EventGrid } from '../../../src/simulator/event-grid/event-grid.js';
import { scaledClock } from '../../../src/simulator/event-grid/scaled-clock.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createFakeClock } from '../../../src/testing/index.js';
import {
  agreeable,
  createTestGrid,
  DAY,
  DEAD_LETTERS,
  deliveriesIn,
  functionBody,
  HOUR,
  MINUTE,
  noInterference,
  SECOND,
  subscribe,
  topicEvent,
  topicEvents,
  turns,
  webhookBody,
} from './test-grid.js';

describe('when a subscription is put', () => {
  it('given a new name, then it is created; given the name again, then it is updated', async () => {
    const { grid } = createTestGrid();

    expect(await grid.put('Sub-One', functionBody())).toMatchObject({
      kind: 'created',
      subscription: { name: 'Sub-One' },
    });
    expect(await grid.put('sub-ONE', functionBody({ labels: ['x'] }))).toMatchObject({ kind: 'updated' });

    expect(grid.list()).toMatchObject([{ name: 'sub-ONE', labels: ['x'] }]);
    expect(grid.get('SUB-one')).toMatchObject({ labels: ['x'] });
  });

  it('given a wrong body, then nothing changes, and no request is sent', async () => {
    const { grid, got } = await subscribe(() => 200, { labels: ['before'] });

    const outcome = await grid.put('sub', webhookBody({ labels: ['after'], retryPolicy: { maxDeliveryAttempts: 0 } }));

    expect(outcome).toEqual({
      kind: 'wrong',
      problems: [
        {
          path: 'properties.retryPolicy.maxDeliveryAttempts',
          message: 'expected a whole number from 1 to 30, found 0',
        },
      ],
    });
    expect(grid.get('sub')).toMatchObject({ labels: ['before'] });
    expect(got).toEqual([]);
  });

  it('given two puts of a name at once, then the later one stays, however long the handshakes take', async () => {
    let agree = (_status: number) => {};
    const slow = new Promise<number>((resolve) => {
      agree = resolve;
    });
    const { grid } = createTestGrid((_, n) => (n === 1 ? slow : 200));
    const first = grid.put('sub', webhookBody({ labels: ['first'] }));
    const second = grid.put('sub', functionBody({ labels: ['second'] }));

    agree(200);

    expect([await first, await second]).toMatchObject([{ kind: 'created' }, { kind: 'updated' }]);
    expect(grid.get('sub')).toMatchObject({ labels: ['second'] });
  });

  it('given pending events, then they go to the new endpoint', async () => {
    const { grid, got, blobs, send } = await subscribe((_, n) => (n === 1 ? 500 : 200));
    await send([topicEvent('a')], SECOND);

    await grid.put(
      'sub',
      functionBody({ eventDeliverySchema: 'CloudEventSchemaV1_0', filter: { subjectBeginsWith: 'nothing' } }),
    );
    await send([topicEvent('b')], MINUTE);

    expect(got.map(({ ids, headers }) => [ids[0], headers['content-type']])).toEqual([
      ['a', 'application/json; charset=utf-8'],
      ['a', 'application/cloudevents+json; charset=utf-8'],
    ]);
    expect(blobs).toEqual([]);
  });

  it('given earlier events, then the subscription does not get them', async () => {
    const { grid, got, pass } = createTestGrid();
    grid.publish([topicEvent('before')]);

    await grid.put('sub', functionBody());
    await pass(HOUR);

    expect(got).toEqual([]);
  });

  it('given a time of expiry, then the subscription is gone at that time', async () => {
    const { grid, got, pass, send } = await subscribe(() => 200, { expirationTimeUtc: '2026-01-01T13:00:00Z' });
    await pass(HOUR - 1);
    await send([topicEvent('in time')], 1);

    await send([topicEvent('too late')], HOUR);

    expect(got.map(({ ids }) => ids)).toEqual([['in time']]);
    expect(grid.get('sub')).toBeUndefined();
    expect(grid.list()).toEqual([]);
  });
});

describe('when a subscription is removed', () => {
  it('given an unknown name, then the result is false', () => {
    const { grid } = createTestGrid();

    expect(grid.remove('nobody')).toBe(false);
  });

  it('given waiting events, then nothing more is sent or written for it', async () => {
    const { grid, got, blobs, pass, send } = await subscribe(() => 500, {
      retryPolicy: { maxDeliveryAttempts: 2 },
      ...DEAD_LETTERS,
    });
    await send(topicEvents(3), SECOND);

    expect(grid.remove('SUB')).toBe(true);
    await pass(DAY);

    expect(got).toHaveLength(3);
    expect(blobs).toEqual([]);
    expect(grid.stats).toEqual({});
    expect(grid.pending()).toBe(0);
  });

  it("given a webhook with Event Grid's schema, then one request announces the deletion", async () => {
    const { grid, got, pass } = createTestGrid(agreeable(() => 500));
    await grid.put('hook', webhookBody());

    grid.remove('hook');
    await pass(DAY);

    expect(got).toHaveLength(2);
    expect(got[1]?.headers).toMatchObject({
      'aeg-event-type': 'SubscriptionDeletion',
      'aeg-subscription-name': 'HOOK',
    });
    expect(JSON.parse(got[1]?.body ?? '')).toMatchObject([
      {
        eventType: 'Microsoft.EventGrid.SubscriptionDeletedEvent',
        data: { eventSubscriptionId: expect.stringMatching(/\/eventSubscriptions\/hook$/) },
      },
    ]);
  });
});

describe('when the pending events of a group are counted', () => {
  it('given other groups and endpoints, then only the events of the group for these functions count', async () => {
    const { grid, pass, send } = createTestGrid((got) => (got.headers['aeg-delivery-count'] === '0' ? 500 : 200));
    await grid.put('one', functionBody());
    await grid.put('same', functionBody());
    const resourceId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/functions/other';
    await grid.put('elsewhere', functionBody({ destination: { resourceId } }));

    grid.publish(topicEvents(2), 'mine');
    grid.publish(topicEvents(3), 'yours');
    await send(topicEvents(5), SECOND);
    expect(grid.pendingAt(['fhirEvents'], 'mine')).toBe(4);
    expect(grid.pendingAt(['fhirEvents'], 'yours')).toBe(6);
    expect(grid.pendingAt(['fhirEvents', 'other'], 'mine')).toBe(6);
    expect(grid.pendingAt([], 'mine')).toBe(0);

    grid.remove('same');
    expect(grid.pendingAt(['fhirEvents'], 'mine')).toBe(2);
    await pass(MINUTE);

    expect(grid.pendingAt(['fhirEvents'], 'mine')).toBe(0);
  });
});

describe('when everything is cleared', () => {
  it('given events in every state, then none of them is sent or written', async () => {
    const answer = ({ ids: [id] }: { ids: string[] }) => (id === 'slow' ? 'never' : id === 'bad' ? 400 : 500);
    const interference = { ...noInterference, copiesOf: ({ id }: { id: string }) => [id === 'held' ? HOUR : 0] };
    const { grid, got, blobs, pass, send, timers } = await subscribe(answer, DEAD_LETTERS, { interference });
    await send([topicEvent('slow'), topicEvent('bad'), topicEvent('held'), ...topicEvents(10)], SECOND);
    grid.publish([topicEvent('ready')]);
    expect(grid.stats.sub).toMatchObject({
      places: { held: 1, ready: 1, sent: 1, waiting: 10, letters: 1 },
      inProbationUntil: '2026-01-01T12:00:10.000Z',
    });

    grid.clear();
    await turns();

    expect(timers()).toBe(0);
    expect(got.map(({ signal }) => signal.aborted)).toEqual([true, ...Array(11).fill(false)]);
    await pass(2 * DAY);
    expect([got.length, blobs]).toEqual([12, []]);
    expect([grid.list(), grid.stats, grid.pending()]).toEqual([[], {}, 0]);
  });

  it('given a dead letter whose write is retried, then the retry is cancelled', async () => {
    let tries = 0;
    const { grid, pass, send } = await subscribe(() => 400, DEAD_LETTERS, {
      writeDeadLetter: async () => {
        tries += 1;
        throw new Error('503');
      },
    });
    await send([topicEvent('a')], 6 * MINUTE);
    expect(tries).toBe(2);

    grid.clear();
    await pass(DAY);

    expect(tries).toBe(2);
  });

  it('given a handshake under way, then its subscription is not made', async () => {
    const { grid, got, pass } = createTestGrid(() => 'never');
    const outcome = grid.put('hook', webhookBody());
    const behind = grid.put('hook', functionBody());
    await turns();

    grid.clear();

    expect(await outcome).toMatchObject({ kind: 'handshake-failed' });
    expect(await behind).toMatchObject({ kind: 'handshake-failed' });
    await pass(HOUR);
    expect(got).toHaveLength(1);
    expect(grid.list()).toEqual([]);
  });

  it('given subscriptions are put again, then their counts begin at 0', async () => {
    const { grid, got, send } = await subscribe(() => 200);
    await send([topicEvent('a')], 0);
    grid.clear();

    await grid.put('sub', functionBody());
    await send([topicEvent('b')], 0);

    expect(got.map(({ ids }) => ids[0])).toEqual(['a', 'b']);
    expect(grid.stats.sub).toMatchObject({ matched: 1, delivered: 1 });
  });

  it('given a stopped Event Grid, then it sends nothing more', async () => {
    const { grid, got, pass } = await subscribe();

    grid.stop();
    grid.publish([topicEvent('a')]);
    const outcome = await grid.put('sub', functionBody());
    await pass(HOUR);

    expect(outcome).toMatchObject({ kind: 'handshake-failed' });
    expect(got).toEqual([]);
  });
});

describe('when the schedule runs faster than real time', () => {
  it('given 1440 times, then a day of retries is over in a minute, and an answer still has 30 s', async () => {
    const clock = createFakeClock();
    const schedule = scaledClock(clock, 1440);
    const atMs: number[] = [];
    const letters: string[] = [];
    const grid = new EventGrid({
      schedule,
      clock,
      random: { ...seededRandom(1), number: () => 0 },
      post: async ({ signal }) => {
        atMs.push(clock.monotonic());
        if (atMs.length > 1) return { status: 500, headers: new Headers(), body: '' };
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      writeDeadLetter: async (_container, _name, content) => void letters.push(content),
      functionUrl: (name) => name,
      validationUrl: (code) => code,
      interference: noInterference,
    });
    await grid.put('sub', functionBody(DEAD_LETTERS));
    grid.publish([topicEvent('a')]);
    for (let ms = 0; ms < 130_000; ms += 5) {
      await turns();
      clock.advance(5);
    }

    // 30 s for the first answer, then 10 s, 30 s, … of the schedule, 1440 times as fast; its 12 h are another 30 s.
    expect(atMs[0]).toBe(0);
    expect(atMs[1]).toBeCloseTo(30_000 + 10_000 / 1440, -1);
    expect(atMs[2]).toBeCloseTo(30_000 + 40_000 / 1440, -1);
    expect(letters).toHaveLength(1);
    expect(JSON.parse(letters[0] ?? '')[0]).toMatchObject({
      deadLetterReason: 'TimeToLiveExceeded',
      publishTime: '2026-01-01T12:00:00.0000000Z',
      lastDeliveryAttemptTime: expect.stringMatching(/^2026-01-01T12:00:5/),
    });
  });
});

describe('when the receiver is down for longer than a day', () => {
  it('given many events, then all of them end as dead letters, with few requests', async () => {
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { got, blobs, pass, send } = await subscribe(() => refused, {
      destination: { maxEventsPerBatch: 100 },
      ...DEAD_LETTERS,
    });
    for (let minute = 0; minute < 60; minute += 1) {
      await send(topicEvents(100, `m${minute}-`), MINUTE);
    }

    await pass(2 * DAY);

    const ids = blobs.flatMap(({ events }) => events.map(({ id }) => id));
    expect(ids).toHaveLength(6000);
    expect(new Set(ids).size).toBe(6000);
    expect(got.length).toBeLessThan(100);
    expect(deliveriesIn(got)).toHaveLength(got.length);
  });
});
