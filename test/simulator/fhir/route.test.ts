import { BASE, createFhirWorld, type Json, patient } from './fhir-world.js';

describe('when a method is not supported', () => {
  it.each([
    { method: 'POST', url: 'Patient/p1', allowed: 'GET, PUT, PATCH, DELETE' },
    { method: 'PUT', url: 'Patient/p1/_history/1', allowed: 'GET' },
    { method: 'DELETE', url: 'Patient/p1/_history', allowed: 'GET' },
    { method: 'DELETE', url: '', allowed: 'GET, POST' },
    { method: 'PUT', url: 'metadata', allowed: 'GET' },
    { method: 'GET', url: 'Patient/_search', allowed: 'POST' },
    { method: 'OPTIONS', url: 'Patient', allowed: 'GET, POST, PUT, PATCH, DELETE' },
    { method: 'constructor', url: 'Patient', allowed: 'GET, POST' },
    { method: 'POST', url: 'Patient/$validate', allowed: '$validate' },
  ])('given $method $url, then 405 with the supported methods', ({ method, url, allowed }) => {
    const { ask, events } = createFhirWorld();

    const answer = ask(method, url, patient('p1'));

    expect(answer).toMatchObject({ status: 405, json: { issue: [{ code: 'not-supported' }] } });
    expect(answer.problem).toContain(allowed);
    expect(events()).toEqual([]);
  });

  it('given small letters and slashes at the end, then the answer is the same', () => {
    const { ask } = createFhirWorld();

    expect(ask('put', 'Patient/p1', patient('p1')).status).toBe(201);
    expect(ask('get', 'Patient/p1/').status).toBe(200);
    expect(ask('GET', 'Patient/').json.type).toBe('searchset');
    expect(ask('GET', 'Patient/p%31').status).toBe(200);
  });
});

describe('when a query says how the answer is to look', () => {
  it.each([
    { method: 'GET', url: 'metadata' },
    { method: 'GET', url: 'Patient/p1' },
    { method: 'PUT', url: 'Patient/p1' },
    { method: 'DELETE', url: 'Patient/p1' },
  ])('given $method $url, then an unknown value gets 400, and a known one does not', ({ method, url }) => {
    const { ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));
    events();
    const body = method === 'PUT' ? patient('p1', { active: true }) : undefined;

    for (const query of ['_pretty=abc', '_summary=abc', '_elements=']) {
      expect(ask(method, `${url}?${query}`, body)).toMatchObject({
        status: 400,
        json: { issue: [{ code: 'invalid' }] },
      });
    }
    expect(events()).toEqual([]);
    expect(ask(method, `${url}?_pretty=True&_summary=Data`, body).status).toBeLessThan(300);
  });
});

describe('what every answer says', () => {
  it('given an answer, an error and nothing, then a browser does not guess its type', () => {
    const { ask } = createFhirWorld();

    for (const answer of [ask('GET', 'metadata'), ask('GET', 'Patient/nobody'), ask('DELETE', 'Patient/nobody')]) {
      expect(answer.headers['X-Content-Type-Options']).toBe('nosniff');
    }
  });
});

describe('what the service says it can do', () => {
  type Capabilities = Json & {
    readonly rest: readonly {
      readonly resource: readonly {
        readonly type: string;
        readonly interaction: readonly { readonly code: string }[];
        readonly searchParam: readonly { readonly name: string }[];
      }[];
      readonly interaction: readonly { readonly code: string }[];
    }[];
  };

  it('given a request, then the answer is a CapabilityStatement of R4', () => {
    const { status, json } = createFhirWorld().ask('GET', 'metadata');

    expect(status).toBe(200);
    expect(json).toMatchObject({
      resourceType: 'CapabilityStatement',
      status: 'active',
      date: '2026-01-01T12:00:00.000Z',
      kind: 'instance',
      fhirVersion: '4.0.1',
      implementation: { url: BASE },
      format: expect.arrayContaining(['json']),
      patchFormat: ['application/json-patch+json'],
    });
  });

  it('given what it names for a type, then the service supports it', () => {
    const { ask } = createFhirWorld();
    const [rest] = (ask('GET', 'metadata').json as Capabilities).rest;

    expect(rest?.interaction.map(({ code }) => code).join(' ')).toBe('transaction batch search-system history-system');
    expect(rest?.resource).toHaveLength(146);
    for (const { type, searchParam } of rest?.resource ?? []) {
      const query = searchParam.map(({ name }) => `${name}=${name === '_lastUpdated' ? '2020' : 'x'}`).join('&');
      expect(ask('GET', `${type}?${query}`, undefined, { prefer: 'handling=strict' }).status).toBe(200);
    }
    const parametersOf = (name: string) =>
      rest?.resource
        .find(({ type }) => type === name)
        ?.searchParam.map((one) => one.name)
        .join(' ');
    const common = '_id _lastUpdated _profile _tag';
    expect(parametersOf('Patient')).toBe(`${common} identifier`);
    expect(parametersOf('Observation')).toBe(`${common} identifier patient subject`);
    expect(parametersOf('AllergyIntolerance')).toBe(`${common} identifier patient`);
    expect(parametersOf('Binary')).toBe(common);
  });
});

describe('when something is wrong within', () => {
  it('given a bug, then the answer is 500 without details of the request', () => {
    const { service } = createFhirWorld();
    const query = new URLSearchParams();
    const headers = {
      get: () => {
        throw new Error('secret');
      },
    };

    const answer = service.answer({
      method: 'GET',
      path: 'Patient',
      query,
      headers,
      body: new Uint8Array(),
      base: BASE,
    });

    expect(answer.status).toBe(500);
    expect(String(answer.body)).toContain('OperationOutcome');
    expect(String(answer.body)).not.toContain('secret');
  });
});
