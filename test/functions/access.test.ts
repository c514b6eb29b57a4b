import * as z from 'zod';
import { accessAnswer } from '../../src/api/access.js';
import type { Route } from '../../src/api/route.js';
import { ROUTES, type RouteName } from '../../src/api/routes.js';
import { registerFunctions } from '../../src/functions/register.js';
import { defineWorkflow, fhir, lookup, NonRetriableError } from '../../src/workflow.js';
import { DICOM_HOST, FHIR_HOST } from '../clients/stand-in.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';
import { claimsOf, headersOf, PERSON, PERSON_NAME, SIGN_IN, signedInAs } from './principal.js';

type Answer = {
  status?: number;
  headers?: object;
  jsonBody?: { error?: Record<string, unknown>; letters?: { id: string }[] };
};
type Request = { readonly params?: object; readonly body?: unknown };

const LOOKUP = { method: 'POST', authLevel: 'function', role: 'Clinician' } as const;
const ALL: Readonly<Record<string, Pick<Route, 'authLevel' | 'role'>>> = { ...ROUTES, 'lookup-tally': LOOKUP };
const CLOSED = Object.keys(ALL).filter((name) => name !== 'healthLive');
const WORKSPACE = rawFhirEvent().topic;

const tally = defineWorkflow({
  name: 'tally',
  on: fhir('*'),
  handle() {
    throw new NonRetriableError('no');
  },
  lookup: lookup({ name: 'tally', query: z.strictObject({}), answer: async () => ({ found: PERSON_NAME }) }),
});

function start(env: Record<string, string> = SIGN_IN) {
  const functions = createFakeFunctions();
  const services = { FHIR_HOSTS: FHIR_HOST, DICOM_HOSTS: DICOM_HOST, WORKSPACES: WORKSPACE };
  const composed = composeMemoryApp({ workflows: [tally], env: { LOOKUPS: 'on', ...services, ...env } });
  registerFunctions(functions.app, composed.app);
  const call = (name: string, headers: Record<string, string>, { params = {}, body = {} }: Request = {}) =>
    functions.call(name, {
      params,
      query: new URLSearchParams(),
      headers: new Headers({ 'content-type': 'application/json', ...headers }),
      text: async () => JSON.stringify(body),
    }) as Promise<Answer>;
  const levels = () => CLOSED.map((name) => functions.optionsOf(name)?.authLevel);
  return { ...composed, functions, call, levels };
}

const levelsWithKeys = CLOSED.map((name) => ALL[name]?.authLevel);

describe('when a sign-in is required', () => {
  it('given all functions, then each HTTP function has a route here, and the host asks for no key', () => {
    const { functions, levels } = start();
    const http = functions.names().filter((name) => functions.optionsOf(name)?.route !== undefined);

    expect(http.sort()).toEqual(Object.keys(ALL).sort());
    expect(new Set(levels())).toEqual(new Set(['anonymous']));
  });

  it.each(CLOSED)('given nobody, then %s is refused before it runs, and nothing is logged', async (name) => {
    const { call, lines } = start();

    const answer = await call(name, {});

    expect(answer).toMatchObject({
      status: 401,
      headers: { 'Cache-Control': 'no-store' },
      jsonBody: { error: { code: 'sign-in-needed', signInAddress: '/.auth/login/aad' } },
    });
    expect(lines).toEqual([]);
  });

  it.each(CLOSED)('given a person without a role, then %s says which role is missing', async (name) => {
    const { role } = ALL[name] ?? {};
    const { call, lines } = start();

    const { status = 200, jsonBody } = await call(name, signedInAs());

    if (role === 'signed-in') return expect(status).toBe(200);
    expect([status, jsonBody?.error?.code]).toEqual([403, 'role-missing']);
    expect(jsonBody?.error?.message).toContain(`the app role ${role}`);
    expect(lines).toEqual([
      `warn {"what":"access-refused","by":"${PERSON}","errorCode":"role-missing","code":"${role}"}`,
    ]);
  });

  it.each(CLOSED)('given only the role of %s, then the function answers; each other role is refused', async (name) => {
    const { role = '' } = ALL[name] ?? {};
    const roles = role === 'signed-in' ? [] : ['Reader', 'Operator', 'Clinician'];
    const opens = (one: string) => one === role || (one === 'Operator' && role === 'Reader');
    const { call } = start();

    for (const one of roles) {
      const { status } = await call(name, signedInAs(one));
      expect({ one, isOpen: status !== 403 }).toEqual({ one, isOpen: opens(one) });
    }
  });

  it.each([
    { given: 'an expired sign-in', headers: headersOf(claimsOf({ exp: '1' })), status: 401, code: 'sign-in-expired' },
    {
      given: 'a forged principal',
      headers: { 'x-ms-client-principal': 'e30=' },
      status: 401,
      code: 'principal-unreadable',
    },
    {
      given: 'the principal of another tenant',
      headers: headersOf(claimsOf({ tid: PERSON, roles: ['Operator'] })),
      status: 401,
      code: 'principal-foreign',
    },
  ])('given $given, then each function refuses the caller', async ({ headers, status, code }) => {
    const { call } = start();

    const answers = await Promise.all(CLOSED.map((name) => call(name, headers as Record<string, string>)));

    expect(new Set(answers.map((answer) => `${answer.status} ${answer.jsonBody?.error?.code}`))).toEqual(
      new Set([`${status} ${code}`]),
    );
  });

  it('given health/live, then anybody may ask', async () => {
    expect(await start().call('healthLive', {})).toEqual({ jsonBody: { live: true } });
  });

  it('given a function that has no route, then it needs an Operator', async () => {
    const { app } = start();
    const functions = createFakeFunctions();
    const { guardHttp } = await import('../../src/functions/access.js');

    guardHttp(functions.app, app).http('new', { authLevel: 'function', handler: () => ({ status: 204 }) });
    const call = (headers: Record<string, string>) => functions.call('new', { headers: new Headers(headers) });

    expect([await call({}), await call(signedInAs('Reader')), await call(signedInAs('Operator'))]).toMatchObject([
      { status: 401 },
      { status: 403 },
      { status: 204 },
    ]);
  });
});

describe('when settings of the sign-in are missing', () => {
  it("given Azure's authentication is off, then keys are needed as before, and nobody is let in", async () => {
    const { call, levels } = start({ ...SIGN_IN, WEBSITE_AUTH_ENABLED: '' });

    const answers = await Promise.all(CLOSED.map((name) => call(name, signedInAs('Operator', 'Clinician'))));

    expect(levels()).toEqual(levelsWithKeys);
    expect(new Set(answers.map(({ status, jsonBody }) => `${status} ${jsonBody?.error?.code}`))).toEqual(
      new Set(['503 sign-in-off']),
    );
  });

  it.each([
    { given: 'no REQUIRE_SIGN_IN', env: { ...SIGN_IN, REQUIRE_SIGN_IN: '' } },
    { given: 'no setting', env: {} },
  ])('given $given, then keys are needed as before', ({ env }) => {
    expect(start(env).levels()).toEqual(levelsWithKeys);
  });
});

describe('when keys and sign-ins are possible', () => {
  const env = { ...SIGN_IN, REQUIRE_SIGN_IN: 'off' };

  it('given a key alone, then the function answers, because the host has checked the key', async () => {
    expect((await start(env).call('stats', {})).status).toBeUndefined();
  });

  it('given a key and a sign-in without the role, then the caller is refused', async () => {
    expect((await start(env).call('stats', signedInAs('Clinician'))).status).toBe(403);
  });
});

describe('GET access', () => {
  const addresses = { signInAddress: '/.auth/login/aad', signOutAddress: '/.auth/logout' };

  it('given a sign-in, then the answer says who the caller is and what the caller may do, and no cache keeps it', async () => {
    const { jsonBody, headers } = await start().call('access', signedInAs('Operator'));

    expect(accessAnswer.parse(jsonBody)).toEqual({
      signIn: { isOn: true, isRequired: true, ...addresses },
      caller: { kind: 'signed-in', id: PERSON, name: PERSON_NAME },
      roles: ['Reader', 'Operator'],
    });
    expect(headers).toEqual({ 'Cache-Control': 'no-store' });
  });

  it('given the key of an administrator, then the caller may do everything', async () => {
    const { functions, call } = start({});

    expect((await call('access', {})).jsonBody).toEqual({
      signIn: { isOn: false, isRequired: false, ...addresses },
      caller: { kind: 'key-holder', id: 'key-holder', name: null },
      roles: ['Reader', 'Operator', 'Clinician'],
    });
    expect(functions.optionsOf('access')).toMatchObject({ route: 'access', authLevel: 'admin', methods: ['GET'] });
  });
});

/** Functions whose use is logged with the caller. `id`, `other`: dead letters. */
const LOGGED: Readonly<Record<string, (id: string, other: string) => Request>> = {
  fhirChanges: () => ({ body: { host: FHIR_HOST, resourceType: 'Patient', resourceId: 'patient-1', version: 1 } }),
  dicomChanges: () => ({
    body: { host: DICOM_HOST, studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.4', version: 1 },
  }),
  deadLetterPayload: (id) => ({ params: { id } }),
  redriveDeadLetters: (id) => ({ body: { ids: [id], event: rawFhirEvent() } }),
  discardDeadLetters: (_, other) => ({ body: { ids: [other], why: 'A trial.' } }),
  askReconcile: () => ({ body: { since: '2026-01-01T00:00:00Z' } }),
  pauseWorkflow: () => ({ params: { name: 'tally' }, body: { why: 'A trial.' } }),
  resumeWorkflow: () => ({ params: { name: 'tally' } }),
  'lookup-tally': () => ({ body: {} }),
};

/** These change nothing, and show counts, codes and ids of events and dead letters. */
const NOT_LOGGED: readonly RouteName[] = [
  ...([
    'healthLive',
    'healthReady',
    'openApi',
    'access',
    'stats',
    'overview',
    'recent',
    'actions',
    'workflows',
  ] as const),
  ...(['events', 'deadLetters', 'deadLetter', 'deadLetterOutcomes', 'reconcileRequests', 'reconcileRequest'] as const),
];

describe('when a function changes something, or shows data of people', () => {
  it('given all routes, then each is in one of the lists', () => {
    expect([...Object.keys(LOGGED), ...NOT_LOGGED].sort()).toEqual(Object.keys(ALL).sort());
  });

  it.each(Object.keys(LOGGED))('given %s, then one line has the object id of the caller, and no name', async (name) => {
    const { app, call, lines } = start();
    await app.pipeline.deliver([rawFhirEvent(), rawFhirEvent({ id: 'event-2', resourceId: 'patient-2' })]);
    const { jsonBody } = await call('deadLetters', signedInAs('Operator'));
    const [id = '', other = ''] = (jsonBody?.letters ?? []).map((deadLetter) => deadLetter.id);
    lines.length = 0;

    const answer = await call(name, signedInAs('Operator', 'Clinician'), LOGGED[name]?.(id, other));

    const own = lines.filter((line) => line.includes('"by"'));
    expect([name, answer.status ?? 200]).toEqual([
      name,
      name.endsWith('Changes') ? 404 : name === 'askReconcile' ? 202 : 200,
    ]);
    expect(own).toEqual([expect.stringContaining(`"by":"${PERSON}"`)]);
    expect(lines.join()).not.toMatch(/ana|muster|patient-1/i);
  });

  it('given a corrected event, then the line says so', async () => {
    const { app, call, lines } = start();
    await app.pipeline.deliver([rawFhirEvent()]);
    const { jsonBody } = await call('deadLetters', signedInAs('Operator'));
    const [{ id } = { id: '' }] = jsonBody?.letters ?? [];

    await call('redriveDeadLetters', signedInAs('Operator'), { body: { ids: [id], event: rawFhirEvent() } });

    expect(lines.find((line) => line.includes('letters-redriven'))).toContain('"code":"edited"');
  });
});
