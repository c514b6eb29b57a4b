import {
  type Answer,
  agreeable,
  codeIn,
  createTestGrid,
  DAY,
  deliveriesIn,
  type Got,
  HOUR,
  MINUTE,
  topicEvent,
  webhookBody,
} from './test-grid.js';

const HOOK = 'https://hook.test/events?code=secret';
const CLOUD = { eventDeliverySchema: 'CloudEventSchemaV1_0' };

describe('when a webhook is subscribed in the schema of Event Grid', () => {
  it('given an answer with the code, then the subscription is made, after one validation event', async () => {
    const { grid, got } = createTestGrid(agreeable());

    const outcome = await grid.put('My-Hook', webhookBody());

    expect(outcome).toMatchObject({ kind: 'created', subscription: { provisioningState: 'Succeeded' } });
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ method: 'POST', url: HOOK });
    expect(got[0]?.headers).toMatchObject({
      'aeg-event-type': 'SubscriptionValidation',
      'aeg-subscription-name': 'MY-HOOK',
      'content-type': 'application/json; charset=utf-8',
    });
    const code = codeIn(got[0] as Got);
    expect(JSON.parse(got[0]?.body ?? '')).toEqual([
      {
        id: expect.any(String),
        topic: expect.stringContaining('/providers/Microsoft.EventGrid/systemTopics/'),
        subject: '',
        data: { validationCode: code, validationUrl: `http://simulator.test/validate?code=${code}` },
        eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
        eventTime: '2026-01-01T12:00:00.0000000Z',
        metadataVersion: '1',
        dataVersion: '1',
      },
    ]);
  });

  it.each<{ what: string; answer: (got: Got) => Answer; message: RegExp }>([
    { what: '404', answer: () => 404, message: /POST https:\/\/hook\.test\/events was answered 404/ },
    {
      what: '202 with the code',
      answer: (got) => ({ status: 202, body: JSON.stringify({ validationResponse: codeIn(got) }) }),
      message: /answered 202/,
    },
    { what: 'another code', answer: () => ({ body: '{"validationResponse":"x"}' }), message: /another code/ },
    { what: 'nobody there', answer: () => new Error('ECONNREFUSED'), message: /not answered \(SocketError\)/ },
  ])('given $what, then the subscription is not made, and the message has no query', async ({ answer, message }) => {
    const { grid } = createTestGrid(answer);

    const outcome = await grid.put('hook', webhookBody());

    expect(outcome).toEqual({ kind: 'handshake-failed', message: expect.stringMatching(message) });
    expect(outcome).not.toMatchObject({ message: expect.stringContaining('secret') });
    expect(grid.get('hook')).toBeUndefined();
  });

  it('given no answer in 30 s, then the request is repeated once, 5 s later', async () => {
    const { grid, got, pass } = createTestGrid((got, n) => (n === 1 ? 'never' : agreeable()(got, n)));

    const outcome = grid.put('hook', webhookBody());
    await pass(MINUTE);

    expect(await outcome).toMatchObject({ kind: 'created' });
    expect(got.map(({ atMs }) => atMs)).toEqual([0, 35_000]);
  });

  it('given no answer to the repeated request either, then the subscription is not made', async () => {
    const { grid, got, pass } = createTestGrid(() => 'never');

    const outcome = grid.put('hook', webhookBody());
    await pass(5 * MINUTE);

    expect(await outcome).toEqual({ kind: 'handshake-failed', message: expect.stringContaining('within 30 s') });
    expect(got).toHaveLength(2);
  });

  it.each([{ body: '' }, { body: 'OK' }, { body: 'null' }, { body: '{}' }])(
    'given 200 with "$body", then the subscription awaits its confirmation, and gets no events before',
    async ({ body }) => {
      const { grid, got, send } = createTestGrid((got) =>
        got.headers['aeg-event-type'] === 'SubscriptionValidation' ? { status: 200, body } : 200,
      );
      await grid.put('hook', webhookBody());
      expect(grid.get('hook')).toMatchObject({ provisioningState: 'AwaitingManualAction' });
      await send([topicEvent('early')], 9 * MINUTE);

      expect(grid.confirm('another')).toBe(false);
      expect(grid.confirm(codeIn(got[0] as Got))).toBe(true);
      await send([topicEvent('in time')], HOUR);

      expect(grid.get('hook')).toMatchObject({ provisioningState: 'Succeeded' });
      expect(deliveriesIn(got).map(({ ids }) => ids)).toEqual([['in time']]);
    },
  );

  it('given no confirmation in 10 minutes, then the subscription has failed for good', async () => {
    const { grid, got, pass, send } = createTestGrid(() => 200);
    await grid.put('hook', webhookBody());

    await pass(10 * MINUTE);

    expect(grid.get('hook')).toMatchObject({ provisioningState: 'Failed' });
    expect(grid.confirm(codeIn(got[0] as Got))).toBe(false);
    await send([topicEvent('a')], DAY);
    expect(got).toHaveLength(1);
  });
});

describe('when a webhook that works is changed', () => {
  it('given the new endpoint refuses, then nothing changes', async () => {
    const { grid, got, send } = createTestGrid((got, n) => (n === 2 ? 500 : agreeable()(got, n)));
    await grid.put('hook', webhookBody());

    const outcome = await grid.put('hook', webhookBody({ destination: { endpointUrl: 'https://new.test/' } }));
    await send([topicEvent('a')], 0);

    expect(outcome).toMatchObject({ kind: 'handshake-failed' });
    expect(grid.get('hook')).toMatchObject({ provisioningState: 'Succeeded', destination: { endpointUrl: HOOK } });
    expect(deliveriesIn(got).map(({ url }) => url)).toEqual([HOOK]);
  });

  it('given the new endpoint awaits its confirmation, then the old one gets events until then', async () => {
    const { grid, got, send } = createTestGrid((got, n) => (n === 1 ? agreeable()(got, n) : 200));
    await grid.put('hook', webhookBody());
    await grid.put('hook', webhookBody({ destination: { endpointUrl: 'https://new.test/' } }));
    await send([topicEvent('a')], 0);

    grid.confirm(codeIn(got[1] as Got));
    await send([topicEvent('b')], 0);

    expect(deliveriesIn(got).map(({ url, ids }) => [url, ids[0]])).toEqual([
      [HOOK, 'a'],
      ['https://new.test/', 'b'],
    ]);
  });
});

describe('when a webhook is subscribed for CloudEvents', () => {
  it.each(['*', 'eventgrid.azure.net', 'EventGrid.Azure.Net'])(
    'given it allows %s, then the subscription is made',
    async (origin) => {
      const { grid, got } = createTestGrid(() => ({ headers: new Headers({ 'WebHook-Allowed-Origin': origin }) }));

      expect(await grid.put('hook', webhookBody(CLOUD))).toMatchObject({ kind: 'created' });

      expect(got).toHaveLength(1);
      expect(got[0]).toMatchObject({ method: 'OPTIONS', body: '', url: HOOK });
      expect(got[0]?.headers).toEqual({
        'webhook-request-origin': 'eventgrid.azure.net',
        'webhook-request-rate': expect.stringMatching(/^[1-9]\d*$/),
        'webhook-request-callback': expect.stringMatching(/^http:\/\/simulator\.test\/validate\?code=[0-9a-f-]{36}$/),
      });
    },
  );

  it.each<{ what: string; answer: Answer }>([
    { what: 'another origin', answer: { headers: new Headers({ 'WebHook-Allowed-Origin': 'other.example' }) } },
    { what: '405', answer: 405 },
    {
      what: 'an error that allows all',
      answer: { status: 500, headers: new Headers({ 'WebHook-Allowed-Origin': '*' }) },
    },
  ])('given $what, then the subscription of CloudEvents is not made', async ({ answer }) => {
    const { grid } = createTestGrid(() => answer);

    expect(await grid.put('hook', webhookBody(CLOUD))).toEqual({
      kind: 'handshake-failed',
      message: expect.stringContaining('WebHook-Allowed-Origin: eventgrid.azure.net'),
    });
    expect(grid.list()).toEqual([]);
  });

  it('given an answer without the permission, then a call of the callback confirms the subscription', async () => {
    const { grid, got } = createTestGrid(() => 200);
    await grid.put('hook', webhookBody(CLOUD));
    expect(grid.get('hook')).toMatchObject({ provisioningState: 'AwaitingManualAction' });

    const callback = new URL(got[0]?.headers['webhook-request-callback'] ?? '');

    expect(grid.confirm(callback.searchParams.get('code') ?? '')).toBe(true);
    expect(grid.get('hook')).toMatchObject({ provisioningState: 'Succeeded' });
  });
});
