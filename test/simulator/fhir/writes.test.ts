import { BASE, createFhirWorld, currentOf, patient } from './fhir-world.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ada = { identifier: [{ system: 'http://mrn', value: '1' }] };

describe('when a resource is created', () => {
  it('given a resource, then it is stored as version 1 under an id of the service, and published once', () => {
    const { ask, events, service } = createFhirWorld();

    const sent = patient('mine', { active: true, meta: { versionId: '7', source: 'x' } });
    const { status, headers, json } = ask('POST', 'Patient', sent);

    expect(status).toBe(201);
    expect(json.id).toMatch(UUID);
    expect(json).toEqual({
      resourceType: 'Patient',
      id: json.id,
      meta: { versionId: '1', lastUpdated: '2026-01-01T12:00:00.000Z', source: 'x' },
      active: true,
    });
    expect(headers).toEqual({
      'Content-Type': 'application/fhir+json; charset=utf-8',
      ETag: 'W/"1"',
      'Last-Modified': 'Thu, 01 Jan 2026 12:00:00 GMT',
      'X-Content-Type-Options': 'nosniff',
      Location: `${BASE}/Patient/${json.id}/_history/1`,
    });
    expect(events()).toEqual([`Patient/${json.id} created 1`]);
    expect(currentOf(service, 'Patient', json.id ?? '')).toEqual({ version: 1, deleted: false });
  });

  it.each([
    { given: 'no such resource', stored: 0, criteria: 'identifier=http://mrn|1', status: 201, published: 1 },
    { given: 'one, which is the answer', stored: 1, criteria: 'identifier=http://mrn|1', status: 200, published: 0 },
    { given: 'one, and a ? in front', stored: 1, criteria: '?identifier=http://mrn|1', status: 200, published: 0 },
    { given: 'many', stored: 2, criteria: 'identifier=http://mrn|1', status: 412, published: 0 },
    { given: 'unknown criteria', stored: 1, criteria: 'shoe-size=44', status: 412, published: 0 },
    { given: 'no criteria', stored: 1, criteria: '', status: 400, published: 0 },
  ])('given a condition, and $given, then $status', ({ stored, criteria, status, published }) => {
    const { ask, events, service } = createFhirWorld();
    for (let n = 0; n < stored; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`, ada));
    events();

    const answer = ask('POST', 'Patient', patient(undefined, { ...ada, active: true }), { 'if-none-exist': criteria });

    expect(answer.status).toBe(status);
    expect(events()).toHaveLength(published);
    expect(service.counts.versions).toBe(stored + published);
    if (status === 200) {
      expect(answer.json.id).toBe('p0');
      expect(answer.json.active).toBeUndefined();
      expect(answer.headers).toMatchObject({ ETag: 'W/"1"', Location: `${BASE}/Patient/p0/_history/1` });
    }
  });

  it.each([
    { prefer: 'return=minimal', expected: '' },
    { prefer: 'respond-async, return="minimal"; handling=strict', expected: '' },
    { prefer: 'return=OperationOutcome', expected: 'OperationOutcome' },
    { prefer: 'return=representation', expected: 'Patient' },
  ])('given Prefer: $prefer, then the answer is "$expected"', ({ prefer, expected }) => {
    const { ask } = createFhirWorld();

    const { status, json, headers } = ask('POST', 'Patient', patient(), { prefer });

    expect(status).toBe(201);
    expect(json.resourceType ?? '').toBe(expected);
    expect(headers.ETag).toBe('W/"1"');
    const text = 'A new resource was created.';
    expect(json.issue).toEqual(
      expected === 'OperationOutcome'
        ? [{ severity: 'information', code: 'informational', diagnostics: text, details: { text } }]
        : undefined,
    );
  });

  it.each([{ prefer: 'return=everything' }, { prefer: 'handling=loose' }])(
    'given Prefer: $prefer, then it is refused, and nothing is stored',
    ({ prefer }) => {
      const { ask, service } = createFhirWorld();

      expect(ask('POST', 'Patient', patient(), { prefer }).status).toBe(400);
      expect(service.counts.versions).toBe(0);
    },
  );

  it('given a conditional reference, then it becomes a reference to the only match', () => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1', ada));

    const { json } = ask('POST', 'Observation', {
      resourceType: 'Observation',
      subject: { reference: 'Patient?identifier=http://mrn|1' },
    });

    expect(json.subject?.reference).toBe('Patient/p1');
  });

  it.each([
    { reference: 'Patient?identifier=nobody', problem: 'does not resolve' },
    { reference: 'Patient?identifier=http://mrn|1', problem: 'multiple resources' },
    { reference: 'Dragon?identifier=1', problem: "'Dragon'" },
    { reference: 'Patient?', problem: 'not selective enough' },
  ])('given a reference to $reference, then it is refused: $problem', ({ reference, problem }) => {
    const { ask, events } = createFhirWorld();
    ask('POST', 'Patient', patient(undefined, ada));
    ask('POST', 'Patient', patient(undefined, ada));
    events();

    const answer = ask('POST', 'Observation', {
      resourceType: 'Observation',
      component: [{ extension: [{ valueReference: { reference } }] }],
    });

    expect(answer.status).toBe(400);
    expect(answer.problem).toContain(problem);
    expect(events()).toEqual([]);
  });
});

describe('when a resource is put', () => {
  const same = patient('p1', { active: true, name: [{ family: 'A', given: ['B'] }] });

  it('given a new resource, then it is created under its id, and a change makes version 2', () => {
    const { ask, events } = createFhirWorld();

    const first = ask('PUT', 'Patient/p1', patient('p1'));
    const second = ask('PUT', 'Patient/p1', patient('p1', { active: true }));

    expect(first).toMatchObject({ status: 201, headers: { ETag: 'W/"1"', Location: `${BASE}/Patient/p1/_history/1` } });
    expect(second).toMatchObject({
      status: 200,
      headers: { ETag: 'W/"2"' },
      json: { active: true, meta: { versionId: '2' } },
    });
    expect(second.headers).not.toHaveProperty('Location');
    expect(events()).toEqual(['Patient/p1 created 1', 'Patient/p1 updated 2']);
  });

  it.each([
    { given: 'the same', body: same },
    { given: 'other stamps', body: { ...same, meta: { versionId: '9', lastUpdated: '2020-01-01T00:00:00Z' } } },
    {
      given: 'another order',
      body: { name: [{ given: ['B'], family: 'A' }], id: 'p1', active: true, resourceType: 'Patient' },
    },
    { given: 'an empty array more', body: { ...same, photo: [] } },
  ])('given $given again, then there is no new version and no event', ({ body }) => {
    const { ask, events, clock } = createFhirWorld();
    ask('PUT', 'Patient/p1', same);
    events();
    clock.advance(5_000);

    const answer = ask('PUT', 'Patient/p1', body);

    expect(answer).toMatchObject({
      status: 200,
      json: { meta: { versionId: '1', lastUpdated: '2026-01-01T12:00:00.000Z' } },
    });
    expect(events()).toEqual([]);
  });

  it.each([
    { given: 'another value of the same length', body: patient('p1', { active: true, name: [{ family: 'C' }] }) },
    { given: 'a tag', body: patient('p1', { active: true, name: [{ family: 'A' }], meta: { tag: [{ code: 'x' }] } }) },
    { given: 'an element less', body: patient('p1', { active: true }) },
  ])('given $given, then there is a new version', ({ body }) => {
    const { ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1', { active: true, name: [{ family: 'A' }] }));

    expect(ask('PUT', 'Patient/p1', body).json.meta?.versionId).toBe('2');
    expect(events()).toEqual(['Patient/p1 created 1', 'Patient/p1 updated 2']);
  });

  it('given other significant digits, then there is a new version', () => {
    const { ask } = createFhirWorld();
    const put = (value: string) =>
      ask('PUT', 'Observation/o', `{"resourceType":"Observation","id":"o","valueQuantity":{"value":${value}}}`);

    expect(['1.1', '1.10', '1.10'].map((value) => put(value).json.meta?.versionId)).toEqual(['1', '2', '2']);
  });

  it.each([
    { given: 'no id', url: 'Patient/p1', body: patient() },
    { given: 'another id', url: 'Patient/p1', body: patient('p2') },
    { given: 'another type', url: 'Patient/p1', body: { resourceType: 'Observation', id: 'p1' } },
    { given: 'an id that is none', url: 'Patient/p_1', body: patient('p_1') },
    { given: 'an id of 65 characters', url: `Patient/${'x'.repeat(65)}`, body: patient('x'.repeat(65)) },
  ])('given $given, then 400, and nothing is stored', ({ url, body }) => {
    const { ask, service, events } = createFhirWorld();

    expect(ask('PUT', url, body).status).toBe(400);
    expect(service.counts.versions).toBe(0);
    expect(events()).toEqual([]);
  });

  it.each([
    { given: 'the current version', match: 'W/"2"', url: 'Patient/p1', status: 200 },
    { given: 'one before', match: 'W/"1"', url: 'Patient/p1', status: 412 },
    { given: 'one that is no number', match: 'W/"x"', url: 'Patient/p1', status: 412 },
    { given: 'no weak ETag', match: '"2"', url: 'Patient/p1', status: 400 },
    { given: 'a resource that is not there', match: 'W/"1"', url: 'Patient/p2', status: 404 },
  ])('given If-Match of $given, then $status', ({ match, url, status }) => {
    const { ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));
    ask('PUT', 'Patient/p1', patient('p1', { active: true }));
    events();

    const answer = ask('PUT', url, patient(url.slice(8), { active: false }), { 'if-match': match });

    expect(answer.status).toBe(status);
    expect(events()).toHaveLength(status === 200 ? 1 : 0);
  });

  it('given If-Match beside a condition, then only the condition counts', () => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1', { identifier: [{ system: 's', value: '1' }] }));

    const changed = patient('p1', { active: true, identifier: [{ system: 's', value: '1' }] });
    const answer = ask('PUT', 'Patient?identifier=s|1', changed, { 'if-match': 'W/"9"' });

    expect(answer).toMatchObject({ status: 200, json: { meta: { versionId: '2' } } });
  });

  it('given a deleted resource, then it exists again, with the event Updated', () => {
    const { ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));
    ask('DELETE', 'Patient/p1');

    const answer = ask('PUT', 'Patient/p1', patient('p1'));

    expect(answer).toMatchObject({ status: 200, json: { meta: { versionId: '3' } } });
    expect(events()).toEqual(['Patient/p1 created 1', 'Patient/p1 deleted 2', 'Patient/p1 updated 3']);
  });
});

describe('when a resource is put under a condition', () => {
  const url = 'Patient?identifier=http://mrn|1';

  it.each([
    { given: 'nothing that meets it, and no id', stored: 0, id: undefined, status: 201, version: '1' },
    { given: 'nothing that meets it, and an id', stored: 0, id: 'mine', status: 201, version: '1' },
    { given: 'one, and no id', stored: 1, id: undefined, status: 200, version: '2' },
    { given: 'one, and its id', stored: 1, id: 'p0', status: 200, version: '2' },
    { given: 'one, and another id', stored: 1, id: 'p9', status: 400, version: undefined },
    { given: 'many', stored: 2, id: undefined, status: 412, version: undefined },
  ])('given $given, then $status', ({ stored, id, status, version }) => {
    const { ask, events } = createFhirWorld();
    for (let n = 0; n < stored; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`, ada));
    events();

    const answer = ask('PUT', url, patient(id, { ...ada, active: true }));

    expect(answer.status).toBe(status);
    expect(answer.json.meta?.versionId).toBe(version);
    expect(events()).toHaveLength(version === undefined ? 0 : 1);
    if (id !== undefined && version !== undefined) expect(answer.json.id).toBe(id);
  });

  it.each([
    { given: 'no criteria', asked: 'Patient', status: 400 },
    { given: 'nothing but a count', asked: 'Patient?_count=5', status: 412 },
    { given: 'unknown criteria', asked: 'Patient?shoe-size=44', status: 412 },
  ])('given $given, then $status', ({ asked, status }) => {
    expect(createFhirWorld().ask('PUT', asked, patient()).status).toBe(status);
  });
});

describe('when a resource is deleted', () => {
  it('given a resource, then there is a version that says deleted; given a second delete, then nothing changes', () => {
    const { ask, events, service } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));
    events();

    const first = ask('DELETE', 'Patient/p1');
    const second = ask('DELETE', 'Patient/p1');

    expect(first).toMatchObject({ status: 204, text: '', headers: { ETag: 'W/"2"' } });
    expect(second).toMatchObject({ status: 204, text: '', headers: {} });
    expect(events()).toEqual(['Patient/p1 deleted 2']);
    expect(currentOf(service, 'Patient', 'p1')).toEqual({ version: 2, deleted: true });
    expect(service.counts).toMatchObject({ resources: 0, versions: 2 });
  });

  it('given an unknown resource, then 204, and nothing is stored', () => {
    const { ask, events, service } = createFhirWorld();

    expect(ask('DELETE', 'Patient/p1').status).toBe(204);
    expect(events()).toEqual([]);
    expect(currentOf(service, 'Patient', 'p1')).toBeUndefined();
    expect(service.counts.versions).toBe(0);
  });

  it.each([{ flag: '_hardDelete=true' }, { flag: 'hardDelete=true' }, { flag: 'hardDelete=True' }])(
    'given $flag, then nothing is left of it, nothing is published, and its id begins again',
    ({ flag }) => {
      const { ask, events, service } = createFhirWorld();
      ask('PUT', 'Patient/p1', patient('p1', ada));
      ask('PUT', 'Patient/p1', patient('p1', { ...ada, active: true }));
      events();

      expect(ask('DELETE', `Patient/p1?${flag}`).status).toBe(204);

      expect(events()).toEqual([]);
      expect(service.counts).toEqual({ resources: 0, versions: 0, bytes: 0 });
      expect(ask('GET', 'Patient/p1').status).toBe(404);
      expect(ask('GET', 'Patient/p1/_history').status).toBe(404);
      expect(ask('GET', '_history').json.entry).toBeUndefined();
      expect(ask('GET', 'Patient?identifier=1').json.entry).toBeUndefined();
      expect(ask('PUT', 'Patient/p1', patient('p1')).status).toBe(201);
      expect(events()).toEqual(['Patient/p1 created 1']);
    },
  );

  it('given a hard delete of a deleted resource, then nothing is left of it', () => {
    const { ask, events, service } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));
    ask('DELETE', 'Patient/p1');
    events();

    expect(ask('DELETE', 'Patient/p1?hardDelete=true').status).toBe(204);
    expect(service.counts).toEqual({ resources: 0, versions: 0, bytes: 0 });
    expect(events()).toEqual([]);
  });
});

describe('when resources are deleted under a condition', () => {
  it.each([
    { given: 'none', stored: 0, query: '', status: 204, published: 0, header: undefined },
    { given: 'one', stored: 1, query: '', status: 204, published: 1, header: undefined },
    { given: 'many', stored: 3, query: '', status: 412, published: 0, header: undefined },
    { given: 'many, and a count', stored: 3, query: '&_count=2', status: 204, published: 2, header: '2' },
    { given: 'fewer than the count', stored: 3, query: '&_count=100', status: 204, published: 3, header: '3' },
    { given: 'none, and a count', stored: 0, query: '&_count=5', status: 204, published: 0, header: '0' },
    { given: 'a count of 0', stored: 1, query: '&_count=0', status: 400, published: 0, header: undefined },
    { given: 'a count of 101', stored: 1, query: '&_count=101', status: 400, published: 0, header: undefined },
    { given: 'a hard delete', stored: 3, query: '&_count=3&hardDelete=true', status: 204, published: 0, header: '3' },
  ])('given $given, then $status, and $published events', ({ stored, query, status, published, header }) => {
    const { ask, events } = createFhirWorld();
    for (let n = 0; n < stored; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`, ada));
    events();

    const answer = ask('DELETE', `Patient?identifier=http://mrn|1${query}`);

    expect(answer.status).toBe(status);
    expect(answer.headers['Items-Deleted']).toBe(header);
    expect(events()).toHaveLength(published);
  });

  it.each([
    { query: '', status: 400 },
    { query: '?_hardDelete=true', status: 412 },
    { query: '?shoe-size=44', status: 412 },
    { query: '?identifier=', status: 412 },
  ])('given the query "$query", which would mean all, then $status', ({ query, status }) => {
    const { ask, service } = createFhirWorld();
    ask('PUT', 'Patient/p1', patient('p1'));

    expect(ask('DELETE', `Patient${query}`).status).toBe(status);
    expect(service.counts.resources).toBe(1);
  });
});

describe('the time of a version', () => {
  it('given the clock goes back, then later versions have no earlier time', () => {
    const { ask, clock } = createFhirWorld();
    clock.advance(1_000);
    const first = ask('PUT', 'Patient/p1', patient('p1'));
    clock.now = () => new Date('2020-01-01T00:00:00Z');

    const second = ask('PUT', 'Patient/p1', patient('p1', { active: true }));

    expect(second.json.meta?.lastUpdated).toBe(first.json.meta?.lastUpdated);
  });
});
