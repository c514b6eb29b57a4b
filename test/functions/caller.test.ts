import { readConfig } from '../../src/config.js';
import { callerIdOf, readCaller } from '../../src/functions/caller.js';
import { CLIENT, claimsOf, headersOf, PERSON, PERSON_NAME, SIGN_IN, signedInAs, TENANT } from './principal.js';

const STORAGE = { EventStorage: 'UseDevelopmentStorage=true' };
const NOW = new Date('2026-01-01T12:00:00.000Z');
const OTHER = '99999999-0000-4000-8000-000000000009';

function read(headers: Record<string, string>, env: Record<string, string> = SIGN_IN) {
  const { signIn } = readConfig({ ...STORAGE, ...env });
  return readCaller({ headers: new Headers(headers) }, { signIn }, NOW);
}

const refused = (code: string) => ({ kind: 'refused', code });
const encoded = (text: string) => ({ 'x-ms-client-principal': Buffer.from(text).toString('base64') });
const atSeconds = (secondsFromNow: number) => String(NOW.getTime() / 1000 + secondsFromNow);

describe('when a caller has signed in', () => {
  it.each([
    { given: ['Reader'], may: ['Reader'] },
    { given: ['Operator'], may: ['Reader', 'Operator'] },
    { given: ['Clinician'], may: ['Clinician'] },
    { given: ['Operator', 'Clinician'], may: ['Reader', 'Operator', 'Clinician'] },
    { given: [], may: [] },
    { given: ['reader', 'Admin', 'Reader,Operator'], may: [] },
  ])('given the roles $given, then the caller has the roles $may', ({ given, may }) => {
    expect(read(signedInAs(...given))).toEqual({ kind: 'signed-in', id: PERSON, name: PERSON_NAME, roles: may });
  });

  it('given the long names of claims, then the roles are the same', () => {
    const role = { typ: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role', val: 'Reader' };
    const short = claimsOf({ oid: null, tid: null });

    const caller = read(headersOf([...short, role, { typ: 'oid', val: PERSON }, { typ: 'tid', val: TENANT }]));

    expect(caller).toMatchObject({ kind: 'signed-in', roles: ['Reader'] });
  });

  it.each([CLIENT, CLIENT.toUpperCase(), `api://${CLIENT}`])('given a token for %s, then it is for this app', (aud) => {
    expect(read(headersOf(claimsOf({ aud })))).toMatchObject({ kind: 'signed-in' });
  });

  it('given a token that expired less than five minutes ago, then it is still valid', () => {
    expect(read(headersOf(claimsOf({ exp: atSeconds(-299) })))).toMatchObject({ kind: 'signed-in' });
  });

  it('given a token without a name, then the caller has none', () => {
    expect(read(headersOf(claimsOf({ name: null })))).toMatchObject({ kind: 'signed-in', name: null });
  });
});

describe('when a principal is missing, expired or forged', () => {
  it.each([
    { given: 'no principal', headers: {}, code: 'sign-in-needed' },
    { given: 'only an id', headers: { 'x-ms-client-principal-id': PERSON }, code: 'sign-in-needed' },
    { given: 'an expired one', headers: headersOf(claimsOf({ exp: atSeconds(-301) })), code: 'sign-in-expired' },
    { given: 'an empty one', headers: { 'x-ms-client-principal': '' }, code: 'principal-unreadable' },
    { given: 'no base64', headers: { 'x-ms-client-principal': '{"auth_typ":"aad"}' }, code: 'principal-unreadable' },
    { given: 'no JSON', headers: encoded('{"auth_typ":'), code: 'principal-unreadable' },
    { given: 'JSON null', headers: encoded('null'), code: 'principal-unreadable' },
    { given: 'no claims', headers: encoded('{"auth_typ":"aad"}'), code: 'principal-unreadable' },
    {
      given: 'claims that are no list',
      headers: encoded('{"auth_typ":"aad","claims":{}}'),
      code: 'principal-unreadable',
    },
    { given: 'a claim that is no text', headers: headersOf(claimsOf({ exp: 1 })), code: 'principal-unreadable' },
    { given: 'a claim null', headers: headersOf([null as never]), code: 'principal-unreadable' },
    { given: 'no expiry', headers: headersOf(claimsOf({ exp: null })), code: 'principal-unreadable' },
    { given: 'an expiry in words', headers: headersOf(claimsOf({ exp: 'never' })), code: 'principal-unreadable' },
    { given: 'no object id', headers: headersOf(claimsOf({ oid: null })), code: 'principal-unreadable' },
    { given: 'a name as object id', headers: headersOf(claimsOf({ oid: PERSON_NAME })), code: 'principal-unreadable' },
    {
      given: 'two object ids',
      headers: headersOf([...claimsOf(), { typ: 'oid', val: OTHER }]),
      code: 'principal-unreadable',
    },
    {
      given: 'two expiries',
      headers: headersOf([...claimsOf(), { typ: 'exp', val: '1900000000' }]),
      code: 'principal-unreadable',
    },
    { given: 'no tenant', headers: headersOf(claimsOf({ tid: null })), code: 'principal-unreadable' },
    { given: 'no audience', headers: headersOf(claimsOf({ aud: null })), code: 'principal-unreadable' },
    { given: 'another tenant', headers: headersOf(claimsOf({ tid: OTHER })), code: 'principal-foreign' },
    { given: 'another audience', headers: headersOf(claimsOf({ aud: OTHER })), code: 'principal-foreign' },
    { given: 'an audience around it', headers: headersOf(claimsOf({ aud: `x${CLIENT}` })), code: 'principal-foreign' },
    { given: 'another provider', headers: headersOf(claimsOf(), 'google'), code: 'principal-foreign' },
    {
      given: 'another provider beside it',
      headers: { ...signedInAs('Reader'), 'x-ms-client-principal-idp': 'google' },
      code: 'principal-foreign',
    },
  ])('given $given, then $code', ({ headers, code }) => {
    expect(read(headers as Record<string, string>)).toEqual(refused(code));
  });

  it('given two headers, then neither counts', () => {
    const headers = new Headers(signedInAs('Reader'));
    headers.append('x-ms-client-principal', signedInAs('Operator')['x-ms-client-principal'] ?? '');

    expect(readCaller({ headers }, readConfig({ ...STORAGE, ...SIGN_IN }), NOW)).toEqual(
      refused('principal-unreadable'),
    );
  });

  it('given a principal of a megabyte, then it is not parsed', () => {
    const long = { typ: 'x', val: 'x'.repeat(1_000_000) };

    expect(read(headersOf([...claimsOf(), long]))).toEqual(refused('principal-unreadable'));
  });
});

describe("when Azure's authentication is off", () => {
  const forged = signedInAs('Reader', 'Operator', 'Clinician');

  it.each(['', 'False', '0', 'yes'])('given WEBSITE_AUTH_ENABLED %p, then the headers do not count', (on) => {
    const off = { ...SIGN_IN, WEBSITE_AUTH_ENABLED: on };

    expect(read(forged, off)).toEqual(refused('sign-in-off'));
    expect(read(forged, { ...off, REQUIRE_SIGN_IN: 'off' })).toEqual({ kind: 'key-holder' });
  });
});

describe('when a sign-in is possible and keys are on', () => {
  const env = { ...SIGN_IN, REQUIRE_SIGN_IN: 'off' };

  it('given no principal, then the caller has a key, which the host has checked', () => {
    expect(read({}, env)).toEqual({ kind: 'key-holder' });
  });

  it('given a principal that is wrong, then a key does not help', () => {
    expect(read({ 'x-ms-client-principal': 'x y' }, env)).toEqual(refused('principal-unreadable'));
    expect(read(headersOf(claimsOf({ tid: OTHER })), env)).toEqual(refused('principal-foreign'));
  });
});

describe('when the log names a caller', () => {
  const config = readConfig({ ...STORAGE, ...SIGN_IN, REQUIRE_SIGN_IN: 'off' });

  it.each([
    { given: 'a sign-in', headers: signedInAs(), by: PERSON },
    { given: 'a key', headers: {}, by: 'key-holder' },
    { given: 'a principal that is wrong', headers: { 'x-ms-client-principal': '' }, by: 'unknown' },
  ])('given $given, then the log names $by', ({ headers, by }) => {
    expect(callerIdOf({ headers: new Headers(headers as Record<string, string>) }, { config })).toBe(by);
  });
});
