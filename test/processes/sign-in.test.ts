import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { CLIENT, claimsOf, headersOf, SIGN_IN, signedInAs } from '../functions/principal.js';
import { ROOT, startProcess, type TestProcess } from '../local/test-process.js';

const NOWHERE = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;${['Blob', 'Queue', 'Table']
  .map((service) => `${service}Endpoint=http://127.0.0.1:9/a`)
  .join(';')}`;
const KEY = { 'x-functions-key': 'any' };

let host: TestProcess;
let url = '';
// The test stands for Azure's authentication: it sends the headers.
beforeAll(async () => {
  const env = { ...SIGN_IN, EventStorage: NOWHERE, SIMULATOR: 'on' };
  host = startProcess('src/local/host/main.ts', ['--app', ROOT, '--main', 'src/main.ts', '--port', '0'], { env });
  await host.printed('Listening on');
  url = /Listening on (\S+)/.exec(host.output())?.[1]?.replace('localhost', '127.0.0.1') ?? '';
});
afterAll(() => host.kill());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}/api/${path}`, { headers });
const codeOf = async (path: string, headers: Record<string, string>) => {
  const answer = await get(path, headers);
  const { error } = (await answer.json()) as { error?: { code: string } };
  return `${answer.status} ${error?.code}`;
};

describe('when the app runs on a host and a sign-in is required', () => {
  it('given no sign-in, then only health/live and the page are open, and a key opens nothing', async () => {
    expect((await get('health/live')).status).toBe(200);
    expect((await get('ui/')).status).not.toBe(401);
    for (const path of ['access', 'openapi.json', 'stats', 'health/ready', 'dead-letters/x/payload', 'simulator/runs'])
      expect([path, await codeOf(path, KEY)]).toEqual([path, '401 sign-in-needed']);
  });

  it.each([
    { given: 'no base64', headers: { 'x-ms-client-principal': '{}' }, code: '401 principal-unreadable' },
    { given: 'an expired sign-in', headers: headersOf(claimsOf({ exp: '1700000000' })), code: '401 sign-in-expired' },
    { given: 'another tenant', headers: headersOf(claimsOf({ tid: CLIENT })), code: '401 principal-foreign' },
    { given: 'the role Clinician', headers: signedInAs('Clinician'), code: '403 role-missing' },
  ])('given $given, then no function answers', async ({ headers, code }) => {
    expect(await codeOf('workflows', headers as Record<string, string>)).toBe(code);
  });

  it('given the header twice, as a forger would send it beside that of Azure, then it is refused', async () => {
    const { 'x-ms-client-principal': own = '' } = signedInAs('Reader');
    const { 'x-ms-client-principal': forged = '' } = signedInAs('Operator');
    const { hostname, port } = new URL(url);

    const socket = createConnection(Number(port), hostname);
    const sent = [forged, own].map((value) => `x-ms-client-principal: ${value}\r\n`).join('');
    socket.end(`GET /api/access HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${sent}\r\n`);

    expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 [\s\S]*principal-unreadable/);
  });

  it('given a sign-in, then access says who it is', async () => {
    const answer = await get('access', signedInAs('Operator'));

    expect([answer.status, ((await answer.json()) as { roles: string[] }).roles]).toEqual([
      200,
      ['Reader', 'Operator'],
    ]);
  });
});
