import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';
import { AppRefusal, readApp } from '../../src/local/app-client.js';
import { StartError } from '../../src/local/host/start-error.js';
import { OptionError } from '../../src/local/options.js';
import { CLIENT } from '../functions/principal.js';

const AZURE = 'https://func-1.azurewebsites.net';
const SCOPE = `api://${CLIENT}/.default`;
const env = { SIGN_IN_CLIENT_ID: CLIENT };
const realFetch = globalThis.fetch;

let seen: { url: string; authorization: string | undefined }[] = [];
let answer: (response: ServerResponse) => void = () => {};
let local = '';
const server = createServer(({ url = '', headers }, response) => {
  seen.push({ url, authorization: headers.authorization });
  answer(response);
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // The address of the app in Azure leads to this server.
  globalThis.fetch = ((url: URL, init: RequestInit) =>
    realFetch(String(url).replace(AZURE, local), init)) as typeof fetch;
});
afterAll(async () => {
  globalThis.fetch = realFetch;
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
});
beforeEach(() => {
  seen = [];
  answer = (response) => response.end('{"live":true}');
});

const scopes: unknown[] = [];
const credential = {
  async getToken(scope: unknown) {
    scopes.push(scope);
    return { token: 'a-token', expiresOnTimestamp: 0 };
  },
};
beforeEach(() => {
  scopes.length = 0;
});

const ask = (values: Record<string, string>, given = credential as Parameters<typeof readApp>[1]['credential']) =>
  readApp(values, { env, ...(given && { credential: given }) })?.ask(
    { path: 'health/live' },
    z.strictObject({ live: z.boolean() }),
  );
const answers = (status: number, body: string, headers = {}) => {
  answer = (response) => void response.writeHead(status, headers).end(body);
};

describe('when a command gets --app', () => {
  it('given an app in Azure, then requests have a token for its registration, or for --scope', async () => {
    expect(await ask({ app: AZURE })).toEqual({ live: true });
    await ask({ app: `${AZURE}/`, scope: 'api://other/.default' });

    expect(scopes).toEqual([SCOPE, 'api://other/.default']);
    expect(seen).toEqual([1, 2].map(() => ({ url: '/api/health/live', authorization: 'Bearer a-token' })));
  });

  it('given an app on this machine, then no token is made or sent', async () => {
    expect(await ask({ app: local })).toEqual({ live: true });

    expect([scopes, seen]).toEqual([[], [{ url: '/api/health/live', authorization: undefined }]]);
  });

  it.each([
    { app: 'http://func-1.azurewebsites.net' },
    { app: 'http://localhost.example.com' },
    { app: 'http://localhost:7071@func-1.azurewebsites.net' },
    { app: 'https://user:secret@func-1.azurewebsites.net' },
    { app: 'https://func-1.azurewebsites.net/api' },
    { app: 'https://func-1.azurewebsites.net/?code=secret' },
    { app: 'func-1.azurewebsites.net' },
    { app: 'ftp://func-1.azurewebsites.net' },
  ])('given $app, then it is refused before any token is made', async ({ app }) => {
    expect(() => readApp({ app }, { env, credential })).toThrow(OptionError);
    expect([scopes, seen]).toEqual([[], []]);
  });

  it('given options that do not go together, then each is refused', () => {
    const read = (values: Record<string, string>, given = env as Record<string, string>) =>
      readApp(values, { env: given, credential });

    expect(() => read({ app: AZURE, account: 'events' })).toThrow('--account does not go with --app');
    expect(() => read({ scope: SCOPE })).toThrow('--scope is only for --app.');
    expect(() => read({ app: AZURE }, {})).toThrow('--scope is missing');
    expect(read({})).toBeUndefined();
  });

  it('given a redirect, then it is not followed, so that the token goes nowhere else', async () => {
    answers(302, '', { location: `${local}/elsewhere` });

    await expect(ask({ app: AZURE })).rejects.toThrow(StartError);
    expect(seen).toHaveLength(1);
  });

  it.each([
    { status: 401, body: '', says: 'does not accept the sign-in' },
    { status: 401, body: '{"error":{"code":"sign-in-expired","message":"Sign in again."}}', says: 'Sign in again.' },
    { status: 403, body: '{"error":{"code":"role-missing","message":"The app role Operator."}}', says: 'Operator' },
    { status: 503, body: '{"error":{"code":"timeout","message":"Storage did not answer."}}', says: 'did not answer' },
    { status: 500, body: 'oops', says: 'it answered 500' },
    { status: 200, body: '{"alive":true}', says: 'otherwise than this version expects' },
    { status: 200, body: 'no JSON', says: 'otherwise than this version expects' },
  ])('given $status $body, then a StartError says why', async ({ status, body, says }) => {
    answers(status, body);

    const asked = ask({ app: AZURE });

    await expect(asked).rejects.toThrow(StartError);
    await expect(asked).rejects.toThrow(says);
  });

  it.each([400, 404, 409])('given the answer %d, then an AppRefusal holds the problems', async (status) => {
    const problems = [{ path: 'filter.workflow', code: 'unknown-name', message: 'is unknown' }];
    answers(status, JSON.stringify({ error: { code: 'bad-request', message: 'no', problems } }));

    const refusal = await ask({ app: AZURE })?.catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(AppRefusal);
    expect(refusal).toMatchObject({ status, problems: [{ path: 'filter.workflow', message: 'is unknown' }] });
  });

  it('given no app at the address, then the error says that the app does not answer', async () => {
    await expect(ask({ app: 'http://127.0.0.1:9' })).rejects.toThrow('The app does not answer: http://127.0.0.1:9');
  });

  it('given no identity, then the error says how to sign in, and no request is sent', async () => {
    const fails = { getToken: () => Promise.reject(new Error('No credential.\nLong list.')) };

    await expect(ask({ app: AZURE }, fails)).rejects.toThrow(
      `There is no token for ${SCOPE}: az login --scope ${SCOPE}. No credential.`,
    );
    expect(seen).toEqual([]);
  });
});
