import { AS_USUAL } from '../../../src/simulator/event-grid/interference.js';
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
  webhookBody,
} from './test-grid.js';

describe('when an event is published', () => {
  it('given a webhook that takes single events, then it gets an array of one, with the headers of Event Grid', async () => {
    const { grid, got, send } = createTestGrid(agreeable());
    await grid.put('My-Hook', webhookBody());

    await send([topicEvent('a')], 0);

    const [delivery] = deliveriesIn(got);
    expect(delivery).toMatchObject({ method: 'POST', url: 'https://hook.test/events?code=secret', ids: ['a'] });
    expect(delivery?.headers).toEqual({
      'content-type': 'application/json; charset=utf-8',
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': 'MY-HOOK',
      'aeg-delivery-count': '0',
      'aeg-metadata-version': '1',
      'aeg-data-version': '1',
    });
    expect(JSON.parse(delivery?.body ?? '')).toEqual([
      {
        id: 'a',
        topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
        subject: 'test.fhir.example/Patient/a',
        data: { resourceType: 'Patient', resourceFhirId: 'a', resourceVersionId: 1 },
        eventType: 'Microsoft.HealthcareApis.FhirResourceCreated',
        dataVersion: '1',
        metadataVersion: '1',
        eventTime: '2026-01-01T12:00:00.0000000Z',
      },
    ]);
  });

  it('given CloudEvents one by one, then the request has the event without an array', async () => {
    const { got, send } = await subscribe(() => 200, { eventDeliverySchema: 'CloudEventSchemaV1_0' });

    await send([topicEvent('a')], 0);

    expect(got[0]?.headers).toEqual({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': 'SUB',
      'aeg-delivery-count': '0',
      'aeg-metadata-version': '1.0',
      origin: 'eventgrid.azure.net',
      'webhook-request-origin': 'eventgrid.azure.net',
    });
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ id: 'a', specversion: '1.0' });
  });

  it.each([1, 3])('given CloudEvents in batches, and %i of them, then the request has an array', async (count) => {
    const { got, send } = await subscribe(() => 200, {
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      destination: { maxEventsPerBatch: 10 },
    });

    await send(topicEvents(count), 0);

    expect(got.map(({ headers }) => headers['content-type'])).toEqual([
      'application/cloudevents-batch+json; charset=utf-8',
    ]);
    expect(JSON.parse(got[0]?.body ?? '')).toHaveLength(count);
  });

  it('given a queue, then each event is a message, without an array in either schema, and a refusal is retried', async () => {
    const { got, grid, send, pass } = createTestGrid((_, n) => (n === 1 ? 503 : 201));
    const schemas = ['EventGridSchema', 'CloudEventSchemaV1_0'];
    for (const [n, eventDeliverySchema] of schemas.entries()) {
      const properties = { resourceId: '/account', queueName: `q${n}`, queueMessageTimeToLiveInSeconds: -1 };
      await grid.put(`sub${n}`, {
        properties: { eventDeliverySchema, destination: { endpointType: 'StorageQueue', properties } },
      });
    }

    await send([topicEvent('a'), topicEvent('b')], 0);
    await pass(40 * SECOND);

    const ids = got.map(({ url, body }) => `${url} ${JSON.parse(body).id}`);
    expect(ids.sort()).toEqual(['q0 a', 'q0 a', 'q0 b', 'q1 a', 'q1 b']);
    expect(grid.pendingAt(['q0', 'q1'], '')).toBe(0);
  });

  it.each([
    ['lose-answer', 2],
    ['garble', 1],
  ] as const)('given a queue and the fate %s, then it gets the event %i times', async (fate, times) => {
    const interference = {
      ...noInterference,
      treatmentOf: (_: unknown, __: string, attempt: number) => (attempt === 0 ? { fate } : AS_USUAL),
    };
    const { got, grid, send } = createTestGrid(() => 201, { interference });
    const properties = { resourceId: '/account', queueName: 'q' };
    await grid.put('sub', { properties: { destination: { endpointType: 'StorageQueue', properties } } });

    await send([topicEvent('a')], MINUTE);

    expect(got).toHaveLength(times);
    expect(got.map(({ body }) => JSON.parse(body).id)).toEqual(Array.from({ length: times }, () => 'a'));
  });

  it('given a function, then the event goes to its webhook', async () => {
    const { got, send } = await subscribe();

    await send([topicEvent('a')], 0);

    expect(got[0]?.url).toBe('http://functions.test/fhirEvents');
  });

  it('given several subscriptions, then each that wants it gets it', async () => {
    const { grid, got, send } = createTestGrid();
    await grid.put('all', functionBody());
    await grid.put('patients', functionBody({ filter: { subjectBeginsWith: 'test.fhir.example/Patient/' } }));
    await grid.put(
      'images',
      functionBody({ filter: { includedEventTypes: ['Microsoft.HealthcareApis.DicomImageCreated'] } }),
    );

    await send([topicEvent('a')], 0);

    expect(got.map(({ headers }) => headers['aeg-subscription-name']).sort()).toEqual(['ALL', 'PATIENTS']);
    expect(grid.stats.images).toMatchObject({ matched: 0, pending: 0 });
  });

  it('given headers of the subscription, also with values of the event, then they are sent, and those of Event Grid stay', async () => {
    const { grid, got, send } = createTestGrid();
    const deliveryAttributeMappings = [
      { name: 'Authorization', type: 'Static', properties: { value: 'Bearer x', isSecret: true } },
      { name: 'X-Type', type: 'Dynamic', properties: { sourceField: 'data.resourceType' } },
      { name: 'X-Version', type: 'Dynamic', properties: { sourceField: 'data.resourceVersionId' } },
      { name: 'X-Object', type: 'Dynamic', properties: { sourceField: 'data' } },
      { name: 'X-Nowhere', type: 'Dynamic', properties: { sourceField: 'data.nowhere' } },
      { name: 'X-Subject', type: 'Dynamic', properties: { sourceField: 'subject' } },
    ];
    await grid.put('sub', functionBody({ destination: { deliveryAttributeMappings } }));

    await send([topicEvent('a', { subject: 'line\nbreak' })], 0);

    expect(got[0]?.headers).toMatchObject({ Authorization: 'Bearer x', 'X-Type': 'Patient', 'X-Version': '1' });
    expect(Object.keys(got[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(['X-Object']));
    expect(got[0]?.headers).not.toHaveProperty('X-Nowhere');
    expect(got[0]?.headers).not.toHaveProperty('X-Subject');
  });

  it('given a malformed event, then its written form is spoilt in either schema', async () => {
    const { grid, got, send } = createTestGrid();
    await grid.put('grid', functionBody());
    await grid.put('cloud', functionBody({ eventDeliverySchema: 'CloudEventSchemaV1_0' }));

    await send([topicEvent('a', { spoil: (written) => ({ ...written, id: 5, data: null }) })], 0);

    expect(got.map(({ body }) => JSON.parse(body))).toMatchObject([
      [{ id: 5, data: null, eventType: 'Microsoft.HealthcareApis.FhirResourceCreated' }],
      { id: 5, data: null, type: 'Microsoft.HealthcareApis.FhirResourceCreated' },
    ]);
  });
});

describe('when the endpoint answers', () => {
  it.each([200, 201, 202, 203, 204])('given %i, then the event is delivered', async (status) => {
    const { grid, got, send } = await subscribe(() => status);

    await send([topicEvent('a')], DAY);

    expect(got).toHaveLength(1);
    expect(grid.stats.sub).toMatchObject({ matched: 1, delivered: 1, pending: 0, retried: 0 });
  });

  it.each([
    { status: 500, atLeast: 10 },
    { status: 205, atLeast: 10 },
    { status: 302, atLeast: 10 },
    { status: 429, atLeast: 10 },
    { status: 503, atLeast: 30 },
    { status: 408, atLeast: 120 },
    { status: 404, atLeast: 300 },
    { status: 401, atLeast: 300 },
  ])('given $status, then the next attempt is after $atLeast s or a little more', async ({ status, atLeast }) => {
    const { grid, got, send } = await subscribe((_, n) => (n === 1 ? status : 200));

    await send([topicEvent('a')], DAY);

    expect(got).toHaveLength(2);
    expect(got[1]?.atMs).toBeGreaterThanOrEqual(atLeast * SECOND);
    expect(got[1]?.atMs).toBeLessThanOrEqual(atLeast * SECOND * 1.1);
    expect(got[1]?.headers['aeg-delivery-count']).toBe('1');
    expect(grid.stats.sub).toMatchObject({ delivered: 1, retried: 1, pending: 0 });
  });

  it.each([
    { endpoint: 'a webhook', body: webhookBody, statuses: [400, 401, 403, 413] },
    { endpoint: 'a function', body: functionBody, statuses: [400, 403, 413] },
  ])('given one of $statuses from $endpoint, then there is no other attempt', async ({ body, statuses }) => {
    for (const status of statuses) {
      const { grid, got, send } = createTestGrid(agreeable(() => status));
      await grid.put('sub', body());

      await send([topicEvent('a')], 2 * DAY);

      expect(deliveriesIn(got)).toHaveLength(1);
      expect(grid.stats.sub).toMatchObject({ dropped: { UndeliverableDueToClientError: 1 }, pending: 0 });
    }
  });

  it('given refused connections, then Event Grid makes further attempts', async () => {
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { grid, got, send } = await subscribe((_, n) => (n === 1 ? refused : 200));

    await send([topicEvent('a')], MINUTE);

    expect(got).toHaveLength(2);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, failed: { SocketError: 1 } });
  });
});

describe('when an endpoint keeps failing', () => {
  it('given no spread, then the attempts come at the times of the schedule, until the event is a day old', async () => {
    const { grid, got, send } = await subscribe(() => 500, {}, { seed: 0 });

    await send([topicEvent('a')], 3 * DAY);

    const seconds = got.map(({ atMs }) => atMs / SECOND);
    expect(seconds).toEqual([0, 10, 40, 100, 400, 1000, 2800, 6400, 17_200, 38_800, 82_000]);
    expect(got.map(({ headers }) => Number(headers['aeg-delivery-count']))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(grid.stats.sub).toMatchObject({ dropped: { TimeToLiveExceeded: 1 }, pending: 0, delivered: 0 });
  });

  it('given a status with a minimum wait, then the schedule still holds where its wait is longer', async () => {
    const { got, send } = await subscribe(() => 404, {}, { seed: 0 });

    await send([topicEvent('a')], 70 * MINUTE);

    expect(got.map(({ atMs }) => atMs / MINUTE)).toEqual([0, 5, 10, 15, 20, 30, 60]);
  });

  it.each([
    { maxDeliveryAttempts: 1, eventTimeToLiveInMinutes: 1440, attempts: 1, reason: 'MaxDeliveryAttemptsExceeded' },
    { maxDeliveryAttempts: 4, eventTimeToLiveInMinutes: 1440, attempts: 4, reason: 'MaxDeliveryAttemptsExceeded' },
    // The documented example: ten attempts do not fit into 30 minutes.
    { maxDeliveryAttempts: 10, eventTimeToLiveInMinutes: 30, attempts: 6, reason: 'TimeToLiveExceeded' },
    { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1, attempts: 3, reason: 'TimeToLiveExceeded' },
  ])(
    'given $maxDeliveryAttempts attempts and $eventTimeToLiveInMinutes minutes, then $attempts and $reason',
    async (row) => {
      const { attempts, reason, ...retryPolicy } = row;
      const { grid, got, send } = await subscribe(() => 500, { retryPolicy });

      await send([topicEvent('a')], 2 * DAY);

      expect(got).toHaveLength(attempts);
      expect(grid.stats.sub?.dropped).toEqual({ [reason]: 1 });
    },
  );

  it('given a time to live that ends between two attempts, then the event is given up at the next', async () => {
    const { grid, pass, send } = await subscribe(
      () => 500,
      { retryPolicy: { eventTimeToLiveInMinutes: 2 } },
      { seed: 0 },
    );

    await send([topicEvent('a')], 399 * SECOND);
    expect(grid.stats.sub).toMatchObject({ pending: 1, dropped: {} });
    await pass(SECOND);

    expect(grid.stats.sub).toMatchObject({ pending: 0, dropped: { TimeToLiveExceeded: 1 } });
  });

  it('given a batch fails, then all its events come again, together', async () => {
    const { grid, got, send } = await subscribe((_, n) => (n === 1 ? 500 : 200), {
      destination: { maxEventsPerBatch: 5 },
    });

    await send(topicEvents(5), MINUTE);

    expect(got.map(({ ids }) => ids.length)).toEqual([5, 5]);
    expect(grid.stats.sub).toMatchObject({ delivered: 5, retried: 5, failed: { GenericError: 1 } });
  });
});

describe('when no answer comes', () => {
  it('given 30 s have passed, then the attempt has failed', async () => {
    const { grid, got, pass, send } = await subscribe((_, n) => (n === 1 ? 'never' : 200), {}, { seed: 0 });

    await send([topicEvent('a')], 29_999);
    expect(grid.stats.sub).toMatchObject({ places: { sent: 1 }, failed: {} });
    await pass(10_001);

    expect(got.map(({ atMs }) => atMs)).toEqual([0, 40_000]);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, failed: { TimedOut: 1 } });
  });

  it('given a late success within 3 minutes, then the event is not sent again', async () => {
    let answerLate = (_status: number) => {};
    const late = new Promise<number>((resolve) => {
      answerLate = resolve;
    });
    const { grid, got, pass, send } = await subscribe((_, n) => (n === 1 ? late : 500), {}, { seed: 0 });
    await send([topicEvent('a')], 50_000);
    expect(got).toHaveLength(2);

    answerLate(200);
    await pass(DAY);

    expect(got).toHaveLength(2);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, pending: 0 });
  });

  it('given a late success during the next attempt, then the event is delivered once', async () => {
    const answers: ((status: number) => void)[] = [];
    const { grid, got, pass, send } = await subscribe(
      () => new Promise((resolve) => answers.push(resolve)),
      {},
      { seed: 0 },
    );
    await send([topicEvent('a')], 45_000);
    expect(got).toHaveLength(2);

    answers[0]?.(202);
    await pass(0);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, pending: 0 });
    answers[1]?.(500);
    await pass(DAY);

    expect(got).toHaveLength(2);
    expect(grid.stats.sub).toMatchObject({ delivered: 1, pending: 0, dropped: {} });
  });

  it('given 3 minutes have passed, then the request is given up', async () => {
    const { got, pass, send } = await subscribe(() => 'never', {}, { seed: 0 });

    await send([topicEvent('a')], 3 * MINUTE - 1);
    expect(got[0]?.signal.aborted).toBe(false);
    await pass(1);

    expect(got[0]?.signal.aborted).toBe(true);
  });

  it('given the event is a dead letter already, then it stays a dead letter', async () => {
    let answerLate = (_status: number) => {};
    const { grid, blobs, pass, send } = await subscribe(
      () =>
        new Promise<number>((resolve) => {
          answerLate = resolve;
        }),
      { retryPolicy: { maxDeliveryAttempts: 1 }, ...DEAD_LETTERS },
    );
    await send([topicEvent('a')], 40 * SECOND);

    answerLate(200);
    await pass(HOUR);

    expect(blobs).toHaveLength(1);
    expect(grid.stats.sub).toMatchObject({
      delivered: 0,
      deadLettered: { MaxDeliveryAttemptsExceeded: 1 },
      pending: 0,
    });
  });
});
