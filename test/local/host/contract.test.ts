import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type HostProcess, startHostProcess } from '../host-process.js';

let host: HostProcess;
beforeAll(async () => {
  host = await startHostProcess();
});
afterAll(() => host.kill());

const NOTIFICATION = { 'aeg-event-type': 'Notification' };
const PATH = '/runtime/webhooks/EventGrid?functionName=';

type Row = {
  given: string;
  /** The value of `functionName`; `batch` if left out. */
  to?: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** The body as it is sent; replaces `body`, which is sent as JSON. */
  raw?: string | Buffer;
  status: number;
  answer?: string;
  inputs?: unknown[];
};

describe('when a request comes to the webhook', () => {
  const handshake = [{ id: '1', data: { validationCode: 'CODE' } }];
  const cloudHandshake = { id: '1', data: '{"validationCode":"CODE"}' };
  const cloudEvent = { specversion: '1.0', id: '1', type: 't', source: 's', data: {} };
  const validation = { 'aeg-event-type': 'SubscriptionValidation' };
  const binary = { 'ce-id': '1', 'ce-type': 't', 'ce-source': 's', 'ce-specversion': '1.0' };
  const noFunction = (name: string) => `cannot find function: '${name}'`;

  it.each<Row>([
    { given: 'an event', body: [{ id: '1' }], status: 202, inputs: [[{ id: '1' }]] },
    {
      given: 'an event that makes the function throw',
      body: [{ id: '1' }, { fail: true }],
      status: 500,
      answer: 'Exception while executing function: Functions.batch',
      inputs: [[{ id: '1' }, { fail: true }]],
    },
    { given: 'an unknown name', to: 'nobody', body: [{}], status: 404, answer: noFunction('nobody') },
    { given: 'no name', to: '', body: [{}], status: 404, answer: noFunction('') },
    { given: 'the wrong case', to: 'Batch', body: [{}], status: 404, answer: noFunction('Batch') },
    { given: 'an HTTP function', to: 'things', body: [{}], status: 404, answer: noFunction('things') },
    { given: 'no aeg-event-type', headers: {}, body: [{}], status: 400 },
    { given: 'an unknown aeg-event-type', headers: { 'aeg-event-type': 'Nonsense' }, body: [{}], status: 400 },
    {
      given: 'a CloudEvent without aeg-event-type',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: cloudEvent,
      status: 400,
    },
    {
      given: 'CloudEvents without aeg-event-type',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: [cloudEvent],
      status: 400,
    },
    { given: 'a binary CloudEvent', headers: binary, body: {}, status: 400 },
    { given: 'invalid JSON', raw: '[{id:', status: 500 },
    { given: 'truncated JSON', raw: '[{"id":"1"}', status: 500 },
    { given: 'an empty body', raw: '', status: 500 },
    ...[[{}, 'x'], [1], [null], [[]]].map((body) => ({
      given: `an array that holds ${JSON.stringify(body.at(-1))}`,
      body,
      status: 500,
      answer: 'Exception while executing function: Functions.batch',
    })),
    { given: 'a text for the events', body: 'x', status: 500 },
    { given: 'a comment', raw: '[/* a */ {"id":"1"}]', status: 202, inputs: [[{ id: '1' }]] },
    { given: 'single quotes', raw: "[{'id':'1'}]", status: 202, inputs: [[{ id: '1' }]] },
    { given: 'NaN', raw: '[{"n":NaN}]', status: 202, inputs: [[{ n: 'NaN' }]] },
    { given: 'an event nested deeper than 64', body: [nested(65)], status: 500 },
    {
      given: 'the charset utf-16',
      headers: { ...NOTIFICATION, 'content-type': 'application/json; charset=utf-16' },
      raw: Buffer.from('[{"id":"ä"}]', 'utf16le'),
      status: 202,
      inputs: [[{ id: 'ä' }]],
    },
    {
      given: 'an unknown charset',
      headers: { ...NOTIFICATION, 'content-type': 'application/json; charset=klingon' },
      body: [{}],
      status: 500,
    },
    {
      given: 'the name twice',
      to: 'batch&functionName=batch',
      body: [{}],
      status: 404,
      answer: noFunction('batch,batch'),
    },
    { given: 'an empty array', body: [], status: 202, inputs: [[]] },
    { given: 'an empty array, one call an event', to: 'single', body: [], status: 202 },
    { given: 'a lone object', body: { id: '1' }, status: 202, inputs: [[{ id: '1' }]] },
    { given: 'an event without id and type', body: [{ data: {} }], status: 202, inputs: [[{ data: {} }]] },
    {
      given: 'a subscription validation',
      headers: validation,
      body: handshake,
      status: 200,
      answer: '{"validationResponse":"CODE"}',
    },
    {
      given: 'a subscription validation as CloudEvent',
      headers: validation,
      body: cloudHandshake,
      status: 200,
      answer: '{"validationResponse":"CODE"}',
    },
    ...[
      { code: '"5&\\\\<é', answer: '\\u00225\\u0026\\\\\\\\\\u003C\\u00E9' },
      { code: 7, answer: '7' },
      { code: '2022-03-24T00:00:00.0000000Z', answer: '2022-03-24T00:00:00Z' },
    ].map(({ code, answer }) => ({
      given: `the validation code ${JSON.stringify(code)}`,
      headers: validation,
      body: [{ data: { validationCode: code } }],
      status: 200,
      answer: `{"validationResponse":"${answer}"}`,
    })),
    {
      given: 'a subscription validation for nobody',
      to: 'nobody',
      headers: validation,
      body: handshake,
      status: 404,
      answer: noFunction('nobody'),
    },
    { given: 'a subscription validation without a code', headers: validation, body: [{ data: {} }], status: 500 },
    { given: 'an unsubscription', headers: { 'aeg-event-type': 'Unsubscribe' }, body: [{}], status: 202 },
    { given: 'a CloudEvent', body: cloudEvent, status: 202, inputs: [[cloudEvent]] },
    {
      given: 'CloudEvents as Event Grid sends them',
      headers: {
        ...NOTIFICATION,
        'content-type': 'application/cloudevents-batch+json; charset=utf-8',
        origin: 'eventgrid.azure.net',
        'webhook-request-origin': 'eventgrid.azure.net',
      },
      body: [cloudEvent],
      status: 202,
      inputs: [[cloudEvent]],
    },
    { given: 'CloudEvents', body: [cloudEvent], status: 202, inputs: [[cloudEvent]] },
  ])(
    'given $given, then the answer is $status',
    async ({ to = 'batch', headers, body, raw, status, answer = '', inputs = [] }) => {
      const response = await fetch(`${host.url}${PATH}${to}`, {
        method: 'POST',
        headers: headers ?? NOTIFICATION,
        body: raw ?? JSON.stringify(body),
      });

      expect({ status: response.status, answer: await response.text() }).toEqual({ status, answer });
      expect((await host.takeCalls()).map((call) => call.input)).toEqual(inputs);
    },
  );

  it('given a subscription validation, then it is answered as plain text', async () => {
    const response = await post('batch', JSON.stringify(handshake), validation);

    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('given the handshake of CloudEvents, then the origin is allowed and no rate is named', async () => {
    const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };
    const response = await fetch(`${host.url}${PATH}batch`, { method: 'OPTIONS', headers });

    expect(response.status).toBe(200);
    expect(response.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
    expect(response.headers.has('webhook-allowed-rate')).toBe(false);
  });

  it('given the handshake of CloudEvents without an origin, then the origin of Event Grid is allowed', async () => {
    const response = await fetch(`${host.url}${PATH}batch`, { method: 'OPTIONS' });

    expect(response.status).toBe(200);
    expect(response.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
  });

  it.each([
    { given: 'a slash behind it', path: 'EventGrid/', status: 202 },
    { given: 'more behind it', path: 'EventGrid/more/of/it', status: 202 },
    { given: 'the path of another extension', path: 'Other', status: 403 },
    { given: 'a longer word', path: 'EventGridOther', status: 403 },
  ])('given $given, then the answer is $status', async ({ path, status }) => {
    const url = `${host.url}/runtime/webhooks/${path}?functionName=batch`;

    expect((await fetch(url, { method: 'POST', headers: NOTIFICATION, body: '[]' })).status).toBe(status);
    await host.takeCalls();
  });

  it.each(['PATCH', 'HEAD', 'PUT'])('given the method %s, then the answer is 404', async (method) => {
    expect((await fetch(`${host.url}${PATH}batch`, { method, headers: NOTIFICATION })).status).toBe(404);
  });

  it.each([`${PATH}batch`, `${PATH}batch&code=any`, '/RUNTIME/webhooks/eventgrid?code=any&functionName=batch'])(
    'given the path %s, then the answer is 202: no key is needed, and case does not matter',
    async (path) => {
      const response = await fetch(`${host.url}${path}`, { method: 'POST', headers: NOTIFICATION, body: '[]' });

      expect(response.status).toBe(202);
      await host.takeCalls();
    },
  );

  it('given a body over the limit, then the answer is 413', async () => {
    const response = await post('batch', Buffer.alloc(104_857_601, 0x20));

    expect(response.status).toBe(413);
    expect(await host.takeCalls()).toEqual([]);
  });
});

describe('when a POST holds several events', () => {
  it('given cardinality many, then there is one call, with the data of each as metadata', async () => {
    await post('batch', '[{"id":"1","data":{"Key":1}},{"id":"2","data":{"Key":2}}]');

    expect(await host.takeCalls()).toEqual([
      {
        name: 'batch',
        input: [
          { id: '1', data: { Key: 1 } },
          { id: '2', data: { Key: 2 } },
        ],
        metadata: { data: [{ key: 1 }, { key: 2 }] },
      },
    ]);
  });

  it('given cardinality one, then there is a call for each event, and one failed call fails the POST', async () => {
    const response = await post('single', '[{"id":"1"},{"id":"2","fail":true},{"id":"3"}]');

    expect(response.status).toBe(500);
    expect((await host.takeCalls()).map((call) => call.input)).toEqual([
      { id: '1' },
      { id: '2', fail: true },
      { id: '3' },
    ]);
  });

  it('given a function that runs longer than functionTimeout, then the answer is 500', async () => {
    const response = await post('single', '[{"id":"1","hang":true}]');

    expect(response.status).toBe(500);
    expect(host.output()).toContain('it ran for 2 s, functionTimeout');
    await host.takeCalls();
  });
});

describe('when a handler looks at an event', () => {
  it.each([
    { given: 'a fraction of zeros', sent: '"2022-03-24T00:00:00.0000000Z"', seen: '2022-03-24T00:00:00Z' },
    { given: 'an offset', sent: '"2022-03-24T06:30:34.1234567+02:00"', seen: '2022-03-24T04:30:34.1234567+00:00' },
    { given: 'a date of ASP.NET', sent: '"/Date(1224043200000)/"', seen: '2008-10-15T04:00:00Z' },
    { given: 'nine digits', sent: '"2022-03-24T00:00:00.123456789Z"', seen: '2022-03-24T00:00:00.123456789Z' },
    { given: 'a date alone', sent: '"2022-03-24"', seen: '2022-03-24' },
    { given: 'RFC 1123', sent: '"Thu, 24 Mar 2022 00:00:00 GMT"', seen: 'Thu, 24 Mar 2022 00:00:00 GMT' },
    { given: 'a number beyond 2^53', sent: '9007199254740993', seen: 9007199254740992 },
    { given: 'such a number as a string', sent: '"9007199254740993"', seen: '9007199254740993' },
    { given: 'a number beyond all bounds', sent: '1e400', seen: 'Infinity' },
    { given: 'minus zero', sent: '-0.0', seen: 0 },
    { given: 'a lone surrogate', sent: '"\\ud800"', seen: '\ufffd' },
    {
      given: 'a date in an array in an object',
      sent: '{"a":["2022-03-24T00:00:00.10Z"]}',
      seen: { a: ['2022-03-24T00:00:00.1Z'] },
    },
    { given: 'duplicate keys', sent: '{"a":1,"b":2,"a":3}', seen: { a: 3, b: 2 } },
    { given: 'a lone surrogate in a key', sent: '{"\\udfff":1}', seen: { '\ufffd': 1 } },
  ])('given $given, then the handler sees $seen', async ({ sent, seen }) => {
    await post('batch', `[{"value":${sent}}]`);

    expect((await host.takeCalls()).map((call) => call.input)).toEqual([[{ value: seen }]]);
  });
});

describe('when a request comes to an HTTP function', () => {
  it.each([
    { given: 'a parameter', path: '/api/things/a%20b', params: { thingId: 'a b' } },
    { given: 'a slash in a parameter', path: '/api/things/a%2Fb', params: { thingId: 'a%2Fb' } },
    { given: 'another case', path: '/API/Things/X', params: { thingId: 'X' } },
    { given: 'a catch-all', path: '/api/c/a/b%2Fc', params: { path: 'a/b%2Fc' } },
    { given: 'an empty catch-all', path: '/api/c', params: { path: '' } },
    { given: 'an empty catch-all after a slash', path: '/api/c/', params: { path: '' } },
  ])('given $given, then the function gets $params', async ({ path, params }) => {
    const response = await fetch(`${host.url}${path}`);

    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ params });
  });

  it('given a body and a query, then the function sees both, and its headers go back', async () => {
    const response = await fetch(`${host.url}/api/things/1?a=1&a=2&b=`, { method: 'POST', body: 'text' });

    expect(response.headers.get('x-echo')).toBe('yes');
    expect(await response.json()).toMatchObject({ method: 'POST', query: { a: '1,2', b: '' }, body: 'text' });
  });

  it.each([
    { given: 'a method that is not listed', path: '/api/things/1', method: 'DELETE', status: 404 },
    { given: 'HEAD where GET is listed', path: '/api/things/1', method: 'HEAD', status: 404 },
    { given: 'the level admin and no key, as Core Tools', path: '/api/things/1', method: 'GET', status: 201 },
    { given: 'a path that nobody has', path: '/api/nobody', method: 'GET', status: 404 },
    { given: 'a path outside of the prefix', path: '/things/1', method: 'GET', status: 404 },
    { given: 'a function that returns nothing', path: '/api/nothing', method: 'GET', status: 204 },
    { given: 'a function that throws', path: '/api/throws', method: 'GET', status: 500 },
    { given: 'a literal beside a parameter', path: '/api/things/special', method: 'GET', status: 200 },
  ])('given $given, then the answer is $status', async ({ path, method, status }) => {
    expect((await fetch(`${host.url}${path}`, { method })).status).toBe(status);
  });
});

describe('when the host logs', () => {
  it('given failures, then nothing of a message, a payload or a query is in the log', async () => {
    await post('batch', '[{"id":"secret-id","fail":true}]');
    await fetch(`${host.url}/api/throws?secret=1`);

    expect(host.output()).toContain("Function 'batch' failed: Error at handler");
    expect(host.output()).not.toContain('secret');
    await host.takeCalls();
  });
});

function post(name: string, body: string | Buffer, headers: Record<string, string> = NOTIFICATION): Promise<Response> {
  return fetch(`${host.url}${PATH}${name}`, { method: 'POST', headers, body });
}

/** Returns objects nested in each other. */
function nested(depth: number): object {
  return depth === 1 ? {} : { a: nested(depth - 1) };
}
