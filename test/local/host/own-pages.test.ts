import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type HostProcess, spawnHost, startHostProcess } from '../host-process.js';

let host: HostProcess;
let port = '';
beforeAll(async () => {
  host = await startHostProcess({}, ['--allow-host', 'laptop.example']);
  port = new URL(host.url).port;
});
afterAll(() => host.kill());

describe('when a browser sends a request to the host', () => {
  it.each([
    { given: 'localhost', headers: { host: 'localhost:7071' } },
    { given: 'localhost in capitals, without a port', headers: { host: 'LOCALHOST' } },
    { given: '127.0.0.1', headers: { host: '127.0.0.1:1' } },
    { given: '[::1]', headers: { host: '[::1]:7071' } },
    { given: 'a name that is allowed', headers: { host: 'laptop.example:443' } },
    { given: 'Event Grid, which names itself so', headers: { host: 'localhost', origin: 'eventgrid.azure.net' } },
    { given: 'a page of this host', headers: { host: 'localhost:7071', origin: 'http://localhost:7071' } },
    { given: 'a page of an allowed name', headers: { host: 'localhost:7071', origin: 'https://laptop.example' } },
  ])('given $given, then the function answers', async ({ headers }) => {
    expect((await send({ path: '/api/things/special', headers })).status).toBe(200);
  });

  it.each([
    { given: 'a name that resolves to 127.0.0.1', headers: { host: 'evil.example:7071' }, found: 'evil.example' },
    { given: 'a name that begins as a loopback name', headers: { host: 'localhost.evil.example' }, found: 'evil' },
    { given: 'a loopback name as its user', headers: { host: 'localhost:80@evil.example' }, found: 'evil' },
    { given: 'another address', headers: { host: '10.0.0.1' }, found: '10.0.0.1' },
    { given: 'a page elsewhere', headers: { origin: 'https://evil.example' }, found: 'https://evil.example' },
    { given: 'a page of another port', headers: { origin: 'http://localhost:1' }, found: 'http://localhost:1' },
    { given: "a page of Event Grid's name", headers: { origin: 'https://eventgrid.azure.net' }, found: 'azure.net' },
    { given: 'a page without an origin', headers: { origin: 'null' }, found: 'null' },
    {
      given: 'a page elsewhere beside an allowed name',
      headers: { host: 'laptop.example', origin: 'https://evil.example' },
      found: 'evil',
    },
  ])('given $given, then 403 says what was found, and no function runs', async ({ headers, found }) => {
    const paths = ['/api/things/1', '/runtime/webhooks/EventGrid?functionName=batch', '/api/nobody'];
    const sent = { 'aeg-event-type': 'Notification', ...headers };

    const answers = await Promise.all(paths.map((path) => send({ path, method: 'POST', headers: sent, body: '[{}]' })));

    for (const { status, text } of answers) {
      expect(status).toBe(403);
      expect(text).toContain('This request is refused');
      expect(text).toContain(found);
    }
    expect(await host.takeCalls()).toEqual([]);
  });

  it('given the preflight of a page of another site, then nothing is allowed', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };

    const answer = await send({ path: '/runtime/webhooks/EventGrid?functionName=batch', method: 'OPTIONS', headers });

    expect(answer.status).toBe(403);
  });

  it('given a name that could be allowed, then the answer says how', async () => {
    const { text } = await send({ path: '/', headers: { host: 'other.example' } });

    expect(text).toContain('npm start -- --allow-host other.example');
  });
});

describe('when a wrong name is allowed', () => {
  it('given a URL, then the error says what the name must be', async () => {
    const wrong = spawnHost(['--allow-host', 'https://laptop.example']);

    expect(await wrong.ended).toBe(1);
    expect(wrong.output()).toBe(
      "--allow-host is 'https://laptop.example'; it must be the name of a host, without https:// and port.",
    );
  });
});

type Sent = { path: string; method?: string; headers: Record<string, string>; body?: string };

/** Sends a request with any Host, which fetch does not allow. */
function send({ path, method = 'GET', headers, body }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, async (answer) => {
      const chunks = await answer.toArray();
      resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
