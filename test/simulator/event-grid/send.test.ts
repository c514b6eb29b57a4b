import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/clock.js';
import { EventGrid } from '../../../src/simulator/event-grid/event-grid.js';
import { createFetchPost } from '../../../src/simulator/event-grid/send.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { functionBody, noInterference, topicEvents, untilIdle, webhookBody } from './test-grid.js';

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string };

describe('when the endpoint is a server on this machine', () => {
  let server: Server;
  let origin: string;
  let seen: Seen[];
  let answer: (seen: Seen) => { status: number; headers?: Record<string, string>; body?: string };

  beforeEach(async () => {
    seen = [];
    answer = () => ({ status: 200 });
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
        seen.push(one);
        const { status, headers: more = {}, body = '' } = answer(one);
        response.writeHead(status, more).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function openGrid(schedule = systemClock) {
    const letters: string[] = [];
    const grid = new EventGrid({
      schedule,
      clock: systemClock,
      random: seededRandom(1),
      post: createFetchPost(),
      writeDeadLetter: async (_container, _name, content) => void letters.push(content),
      functionUrl: (name) => `${origin}/runtime/webhooks/EventGrid?functionName=${name}`,
      validationUrl: (code) => code,
      interference: noInterference,
    });
    return { grid, letters };
  }

  it('given thousands of events, then every one arrives, once', async () => {
    const { grid } = openGrid();
    await grid.put('sub', functionBody({ destination: { maxEventsPerBatch: 50 } }));

    grid.publish(topicEvents(5000));
    await untilIdle(grid);

    const ids = seen.flatMap(({ body }) => JSON.parse(body).map((event: { id: string }) => event.id));
    expect(ids).toHaveLength(5000);
    expect(new Set(ids).size).toBe(5000);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/runtime/webhooks/EventGrid?functionName=fhirEvents',
      headers: { 'aeg-event-type': 'Notification', 'aeg-subscription-name': 'SUB', 'aeg-delivery-count': '0' },
    });
    grid.stop();
  });

  it('given a webhook, then it gets the handshake, the deliveries and the deletion notice', async () => {
    answer = ({ headers, body }) =>
      headers['aeg-event-type'] === 'SubscriptionValidation'
        ? { status: 200, body: JSON.stringify({ validationResponse: JSON.parse(body)[0].data.validationCode }) }
        : { status: 204 };
    const { grid } = openGrid();
    expect(await grid.put('hook', webhookBody({ destination: { endpointUrl: `${origin}/hook` } }))).toMatchObject({
      kind: 'created',
    });

    grid.publish(topicEvents(1));
    await untilIdle(grid);

    expect(seen.map(({ headers }) => headers['aeg-event-type'])).toEqual(['SubscriptionValidation', 'Notification']);
    expect(grid.stats.hook).toMatchObject({ delivered: 1 });
    grid.stop();
  });

  it('given a webhook for CloudEvents, then the handshake is an OPTIONS request', async () => {
    answer = ({ method }) => ({
      status: 200,
      headers: method === 'OPTIONS' ? { 'WebHook-Allowed-Origin': 'eventgrid.azure.net' } : {},
    });
    const { grid } = openGrid();

    const outcome = await grid.put(
      'hook',
      webhookBody({ eventDeliverySchema: 'CloudEventSchemaV1_0', destination: { endpointUrl: `${origin}/hook` } }),
    );
    grid.publish(topicEvents(1));
    await untilIdle(grid);

    expect(outcome).toMatchObject({ kind: 'created' });
    expect(seen).toMatchObject([
      { method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } },
      {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', origin: 'eventgrid.azure.net' },
      },
    ]);
    grid.stop();
  });

  it('given a redirect, then it is not followed', async () => {
    answer = () => ({ status: 302, headers: { location: '/elsewhere' } });
    const { grid } = openGrid();
    await grid.put('sub', functionBody({ retryPolicy: { maxDeliveryAttempts: 1 } }));

    grid.publish(topicEvents(1));
    await untilIdle(grid);

    expect(seen).toHaveLength(1);
    expect(grid.stats.sub).toMatchObject({ failed: { GenericError: 1 } });
    grid.stop();
  });

  it('given a closed port, then the outcome is a socket error', async () => {
    server.close();
    const { grid } = openGrid();
    await grid.put('sub', functionBody({ retryPolicy: { maxDeliveryAttempts: 1 } }));

    grid.publish(topicEvents(1));
    await untilIdle(grid);

    expect(grid.stats.sub).toMatchObject({ failed: { SocketError: 1 }, dropped: { MaxDeliveryAttemptsExceeded: 1 } });
    grid.stop();
  });
});
