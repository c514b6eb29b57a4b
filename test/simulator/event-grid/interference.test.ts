import type { Interference } from '../../../src/simulator/event-grid/interference.js';
import {
  createTestGrid,
  functionBody,
  HOUR,
  MINUTE,
  noInterference,
  SECOND,
  subscribe,
  topicEvent,
  topicEvents,
} from './test-grid.js';

function interfering(decisions: Partial<Interference>) {
  return { interference: { ...noInterference, ...decisions } };
}

describe('when interference decides on copies', () => {
  it('given two copies, one of them held back, then both are delivered, each at its time', async () => {
    const { grid, got, pass, send } = await subscribe(() => 200, {}, interfering({ copiesOf: () => [0, 1500] }));

    await send([topicEvent('a')], SECOND);
    expect(grid.stats.sub).toMatchObject({ pending: 1, places: { held: 1 } });
    await pass(MINUTE);

    expect(got.map(({ atMs, ids }) => [atMs, ids[0]])).toEqual([
      [0, 'a'],
      [1500, 'a'],
    ]);
    expect(grid.stats.sub).toMatchObject({ matched: 1, copies: 1, delivered: 2, pending: 0 });
  });

  it('given no copy, then the event is never sent, and is counted as withheld', async () => {
    const { grid, got, send } = await subscribe(
      () => 200,
      {},
      interfering({ copiesOf: ({ id }) => (id === 'a' ? [] : [0]) }),
    );

    await send([topicEvent('a'), topicEvent('b')], HOUR);

    expect(got.map(({ ids }) => ids)).toEqual([['b']]);
    expect(grid.stats.sub).toMatchObject({ matched: 2, withheld: 1, delivered: 1, pending: 0 });
  });

  it('given a copy that is held back, then later events overtake it', async () => {
    const { got, send } = await subscribe(() => 200, {}, interfering({ copiesOf: ({ id }) => [id === 'a' ? 500 : 0] }));

    await send([topicEvent('a'), topicEvent('b')], SECOND);

    expect(got.map(({ ids }) => ids[0])).toEqual(['b', 'a']);
  });
});

describe('when interference decides on a request', () => {
  it('given a receiver that is down, then the request is not sent, and counts as a broken connection', async () => {
    let downs = 1;
    const { grid, got, send } = await subscribe(() => 200, {}, interfering({ isDown: () => downs-- > 0 }));

    await send([topicEvent('a')], MINUTE);

    expect(got.map(({ headers }) => headers['aeg-delivery-count'])).toEqual(['1']);
    expect(grid.stats.sub).toMatchObject({ requests: 2, failed: { SocketError: 1 }, delivered: 1 });
  });

  it('given a lost answer, then the endpoint got the event, and gets it again', async () => {
    const { grid, got, send } = await subscribe(
      () => 200,
      {},
      interfering({ treatmentOf: (_event, _name, attempt) => ({ fate: attempt < 2 ? 'lose-answer' : 'pass' }) }),
    );

    await send([topicEvent('a')], MINUTE);

    expect(got.map(({ ids }) => ids)).toEqual([['a'], ['a'], ['a']]);
    expect(grid.stats.sub).toMatchObject({ failed: { TimedOut: 2 }, delivered: 1, pending: 0 });
  });

  it('given the fate garble, then the body is cut in the middle', async () => {
    const { got, send } = await subscribe(
      (_, n) => (n === 1 ? 500 : 200),
      {},
      interfering({ treatmentOf: (_event, _name, attempt) => ({ fate: attempt === 0 ? 'garble' : 'pass' }) }),
    );

    await send([topicEvent('a')], MINUTE);

    const [garbled = '', whole = ''] = got.map(({ body }) => body);
    expect(garbled).toBe(whole.slice(0, Math.floor(whole.length / 2)));
    expect(() => JSON.parse(garbled)).toThrow();
  });

  it("given an attempt, then interference gets each event, the subscription's name and the attempt from 0", async () => {
    const asked: unknown[] = [];
    const { grid, send } = createTestGrid((_, n) => (n === 1 ? 500 : 200), {
      ...interfering({
        treatmentOf({ id }, name, attempt) {
          asked.push([id, name, attempt]);
          return { fate: 'pass' };
        },
      }),
    });
    await grid.put('My-Sub', functionBody({ destination: { maxEventsPerBatch: 2 } }));

    await send(topicEvents(2), MINUTE);

    expect(asked).toEqual([
      ['e0', 'My-Sub', 0],
      ['e1', 'My-Sub', 0],
      ['e0', 'My-Sub', 1],
      ['e1', 'My-Sub', 1],
    ]);
  });

  it('given different decisions about events, then they share no request, and each decision holds', async () => {
    const { got, send } = await subscribe(
      () => 200,
      { destination: { maxEventsPerBatch: 10 } },
      interfering({
        treatmentOf: ({ id }, _name, attempt) => ({ fate: attempt === 0 && id !== 'e1' ? 'lose-answer' : 'pass' }),
      }),
    );

    await send(topicEvents(3), MINUTE);

    expect(got.map(({ ids }) => ids)).toEqual([['e0', 'e2'], ['e1'], ['e0', 'e2']]);
  });
});

describe('when interference decides on the schema', () => {
  it.each([
    {
      eventDeliverySchema: 'EventGridSchema',
      other: 'CloudEventSchemaV1_0' as const,
      type: 'application/cloudevents-batch+json; charset=utf-8',
    },
    {
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      other: 'EventGridSchema' as const,
      type: 'application/json; charset=utf-8',
    },
  ])(
    'given another schema than $eventDeliverySchema, then the whole request is in that schema',
    async ({ eventDeliverySchema, other, type }) => {
      const { got, send } = await subscribe(
        () => 200,
        { eventDeliverySchema, destination: { maxEventsPerBatch: 3 } },
        interfering({ treatmentOf: () => ({ fate: 'pass', schema: other }) }),
      );

      await send(topicEvents(2), 0);

      expect(got[0]?.headers['content-type']).toBe(type);
      expect(got[0]?.headers['aeg-metadata-version']).toBe(other === 'EventGridSchema' ? '1' : '1.0');
      expect(Object.keys(JSON.parse(got[0]?.body ?? '')[0])).toContain(
        other === 'EventGridSchema' ? 'eventType' : 'specversion',
      );
    },
  );
});
