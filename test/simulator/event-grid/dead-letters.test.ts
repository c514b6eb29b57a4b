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

const ONE_TRY = { retryPolicy: { maxDeliveryAttempts: 1 }, ...DEAD_LETTERS };

describe('when an event is given up', () => {
  it('given a container for dead letters, then the dead letter is there 5 minutes after the last attempt', async () => {
    const { grid, blobs, pass, send } = createTestGrid(() => 400);
    await grid.put('My-Sub', functionBody(DEAD_LETTERS));
    await send([topicEvent('a')], 5 * MINUTE - 1);
    expect(blobs).toEqual([]);
    expect(grid.stats['My-Sub']).toMatchObject({ pending: 1, places: { letters: 1 } });

    await pass(1);

    expect(blobs).toHaveLength(1);
    expect(blobs[0]?.container).toBe('undelivered');
    expect(blobs[0]?.name).toMatch(/^MY-SUB\/2026\/1\/1\/12\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/);
    expect(grid.stats['My-Sub']).toMatchObject({ pending: 0, deadLettered: { UndeliverableDueToClientError: 1 } });
  });

  it('given the schema of Event Grid, then the dead letter is the event with the outcome of its delivery', async () => {
    const { blobs, send } = await subscribe(
      () => 500,
      { retryPolicy: { maxDeliveryAttempts: 2 }, ...DEAD_LETTERS },
      { seed: 0 },
    );

    await send([topicEvent('a')], HOUR);

    expect(blobs[0]?.events).toEqual([
      {
        id: 'a',
        topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
        subject: 'test.fhir.example/Patient/a',
        data: { resourceType: 'Patient', resourceFhirId: 'a', resourceVersionId: 1 },
        eventType: 'Microsoft.HealthcareApis.FhirResourceCreated',
        dataVersion: '1',
        metadataVersion: '1',
        eventTime: '2026-01-01T12:00:00.0000000Z',
        deadLetterReason: 'MaxDeliveryAttemptsExceeded',
        deliveryAttempts: 2,
        lastDeliveryOutcome: 'GenericError',
        publishTime: '2026-01-01T12:00:00.0000000Z',
        lastDeliveryAttemptTime: '2026-01-01T12:00:10.0000000Z',
      },
    ]);
  });

  it('given CloudEvents, then the names are in lower case', async () => {
    const { blobs, send } = await subscribe(() => 403, {
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      ...DEAD_LETTERS,
    });

    await send([topicEvent('a')], HOUR);

    expect(blobs[0]?.events).toEqual([
      expect.objectContaining({
        id: 'a',
        specversion: '1.0',
        deadletterreason: 'UndeliverableDueToClientError',
        deliveryattempts: 1,
        lastdeliveryoutcome: 'Forbidden',
        publishtime: '2026-01-01T12:00:00.0000000Z',
        lastdeliveryattempttime: '2026-01-01T12:00:00.0000000Z',
      }),
    ]);
  });

  it.each([
    { answer: 400, outcome: 'BadRequest' },
    { answer: 401, outcome: 'Unauthorized' },
    { answer: 403, outcome: 'Forbidden' },
    { answer: 404, outcome: 'NotFound' },
    { answer: 408, outcome: 'TimedOut' },
    { answer: 413, outcome: 'PayloadTooLarge' },
    { answer: 429, outcome: 'Busy' },
    { answer: 500, outcome: 'GenericError' },
    { answer: 503, outcome: 'Busy' },
    { answer: 'never' as const, outcome: 'TimedOut' },
    { answer: new Error('reset'), outcome: 'SocketError' },
    { answer: Object.assign(new Error('dns'), { code: 'EAI_AGAIN' }), outcome: 'ResolutionError' },
  ])('given $answer last, then the outcome is $outcome', async ({ answer, outcome }) => {
    const { blobs, send } = await subscribe(() => answer, ONE_TRY);

    await send([topicEvent('a')], HOUR);

    expect(blobs[0]?.events[0]).toMatchObject({ lastDeliveryOutcome: outcome });
  });

  it('given a malformed event, then it is unchanged, with the outcome of its delivery', async () => {
    const raw = JSON.parse('{"id":null,"__proto__":{"polluted":true}}');
    let content = '';
    const { send } = await subscribe(() => 400, DEAD_LETTERS, {
      writeDeadLetter: async (_container, _name, written) => {
        content = written;
      },
    });

    await send([topicEvent('a', { spoil: () => raw })], HOUR);

    expect(content).toMatch(/^\[\{"id":null,"__proto__":\{"polluted":true\},"deadLetterReason":/);
  });

  it('given no container for dead letters, then the event is dropped and counted', async () => {
    const { grid, blobs, send } = await subscribe(() => 500, { retryPolicy: { maxDeliveryAttempts: 1 } });

    await send(topicEvents(3), HOUR);

    expect(blobs).toEqual([]);
    expect(grid.stats.sub).toMatchObject({ dropped: { MaxDeliveryAttemptsExceeded: 3 }, pending: 0 });
  });

  it('given several dead letters that are due at one time, then they share a blob', async () => {
    const { blobs, send } = await subscribe(() => 400, DEAD_LETTERS);

    await send(topicEvents(3), SECOND);
    await send([topicEvent('later')], HOUR);

    expect(blobs.map(({ atMs, events }) => [atMs, events.map(({ id }) => id)])).toEqual([
      [300_000, ['e0', 'e1', 'e2']],
      [301_000, ['later']],
    ]);
  });

  it('given more than 5000 dead letters, then no blob has more than 5000', async () => {
    const { blobs, send } = await subscribe(() => 400, {
      destination: { maxEventsPerBatch: 5000, preferredBatchSizeInKilobytes: 1024 },
      ...DEAD_LETTERS,
    });

    await send(topicEvents(6000), HOUR);

    expect(blobs.map(({ events }) => events.length)).toEqual([5000, 1000]);
  });
});

describe('when dead letters cannot be written', () => {
  it('given the container answers later, then they are written once, under one name', async () => {
    const names: string[] = [];
    const { grid, send } = await subscribe(() => 400, DEAD_LETTERS, {
      writeDeadLetter: async (_container, name) => {
        names.push(name);
        if (names.length < 3) throw new Error('503');
      },
    });

    await send([topicEvent('a')], DAY);

    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(1);
    expect(grid.stats.sub).toMatchObject({
      deadLettered: { UndeliverableDueToClientError: 1 },
      dropped: {},
      pending: 0,
    });
  });

  it('given 4 hours of failures, then they are dropped and counted', async () => {
    let tries = 0;
    const { grid, pass, send } = await subscribe(() => 400, DEAD_LETTERS, {
      writeDeadLetter: () => {
        tries += 1;
        throw new Error('gone');
      },
    });
    await send(topicEvents(2), 5 * MINUTE + 4 * HOUR - SECOND);
    expect(grid.stats.sub).toMatchObject({ pending: 2 });
    await pass(MINUTE);

    expect(tries).toBe(241);
    expect(grid.stats.sub).toMatchObject({ dropped: { DeadLetterUnavailable: 2 }, deadLettered: {}, pending: 0 });
  });

  it('given the subscription has no container any more, then they are dropped', async () => {
    const { grid, pass, send } = await subscribe(() => 400, DEAD_LETTERS, {
      writeDeadLetter: () => Promise.reject(new Error('gone')),
    });
    await send([topicEvent('a')], 10 * MINUTE);

    await grid.put('sub', functionBody());
    await pass(10 * MINUTE);

    expect(grid.stats.sub).toMatchObject({ dropped: { UndeliverableDueToClientError: 1 }, pending: 0 });
  });
});
