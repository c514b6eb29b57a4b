import { BASE, createFhirWorld, idsOf, type Json, linkOf, patient, warningsOf } from './fhir-world.js';

function worldWithHistory() {
  const world = createFhirWorld();
  const { ask, clock } = world;
  for (const act of [
    () => ask('PUT', 'Patient/p1', patient('p1')),
    () => ask('PUT', 'Patient/p1', patient('p1', { active: true })),
    () => ask('POST', 'Observation', { resourceType: 'Observation' }),
    () => ask('DELETE', 'Patient/p1'),
    () => ask('PUT', 'Patient/p1', patient('p1', { active: false })),
  ]) {
    act();
    clock.advance(1_000);
  }
  return world;
}

describe('when a resource is read', () => {
  it('given its id, then the answer is its current version', () => {
    const { ask } = worldWithHistory();

    const answer = ask('GET', 'Patient/p1');

    expect(answer).toMatchObject({ status: 200, json: { id: 'p1', active: false, meta: { versionId: '4' } } });
    expect(answer.headers).toEqual({
      ETag: 'W/"4"',
      'Last-Modified': 'Thu, 01 Jan 2026 12:00:04 GMT',
      'Content-Type': 'application/fhir+json; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
    });
  });

  it('given HEAD, then the answer has no body', () => {
    const { ask } = worldWithHistory();
    const get = ask('GET', 'Patient/p1');

    expect(ask('HEAD', 'Patient/p1')).toMatchObject({ status: 200, text: '', headers: get.headers });
    expect(ask('HEAD', 'Patient/p2')).toMatchObject({ status: 404, text: '' });
    expect(ask('HEAD', 'Patient/p1/_history/3')).toMatchObject({ status: 410, text: '' });
  });

  it.each([
    { given: 'it never was', url: 'Patient/p2', status: 404, code: 'not-found' },
    { given: 'it is of another type', url: 'Observation/p1', status: 404, code: 'not-found' },
    { given: 'it was deleted then', url: 'Patient/p1/_history/3', status: 410, code: 'deleted' },
    { given: 'a version to come', url: 'Patient/p1/_history/5', status: 404, code: 'not-found' },
    { given: 'a version that is no number', url: 'Patient/p1/_history/x', status: 404, code: 'not-found' },
    { given: 'a version written otherwise', url: 'Patient/p1/_history/01', status: 404, code: 'not-found' },
    { given: 'an id that is none', url: 'Patient/p_1', status: 400, code: 'invalid' },
    { given: 'an id that is none, and its history', url: 'Patient/p_1/_history', status: 400, code: 'invalid' },
    { given: 'an escape that is none', url: 'Patient/%zz', status: 400, code: 'invalid' },
    { given: 'a type that is none', url: 'Dragon/1', status: 404, code: 'not-found' },
    { given: 'a type in small letters', url: 'patient/p1', status: 404, code: 'not-found' },
    { given: 'more than there is', url: 'Patient/p1/_history/1/2', status: 404, code: 'not-found' },
    { given: 'a compartment', url: 'Patient/p1/Observation', status: 404, code: 'not-found' },
    { given: 'a smart configuration', url: '.well-known/smart-configuration', status: 404, code: 'not-found' },
    { given: 'everything', url: 'Patient/p1/$everything', status: 405, code: 'not-supported' },
    { given: 'an export', url: '$export', status: 405, code: 'not-supported' },
  ])('given $given, then $status', ({ url, status, code }) => {
    const { ask } = worldWithHistory();

    const answer = ask('GET', url);

    expect(answer).toMatchObject({
      status,
      json: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] },
    });
    expect(answer.problem).not.toBe('');
  });

  it('given a deleted resource, then 410 with the version of the deletion', () => {
    const { ask } = worldWithHistory();
    ask('DELETE', 'Patient/p1');

    expect(ask('GET', 'Patient/p1')).toMatchObject({ status: 410, headers: { ETag: 'W/"5"' } });
  });

  it('given a version, then the answer is that version', () => {
    const { ask } = worldWithHistory();

    const answer = ask('GET', 'Patient/p1/_history/2');

    expect(answer).toMatchObject({
      status: 200,
      headers: { ETag: 'W/"2"' },
      json: { active: true, meta: { versionId: '2' } },
    });
  });
});

describe('when a history is read', () => {
  it('given the history of a resource, then it has all its versions, the newest first', () => {
    const { ask } = worldWithHistory();

    const { status, json } = ask('GET', 'Patient/p1/_history');

    expect(status).toBe(200);
    expect(json).toMatchObject({
      resourceType: 'Bundle',
      type: 'history',
      link: [{ relation: 'self', url: `${BASE}/Patient/p1/_history` }],
    });
    expect(json.entry).toEqual([
      {
        fullUrl: `${BASE}/Patient/p1`,
        request: { method: 'PUT', url: 'Patient/p1' },
        response: { status: '200 OK', etag: 'W/"4"', lastModified: '2026-01-01T12:00:04.000Z' },
        resource: {
          ...patient('p1', { active: false }),
          meta: { versionId: '4', lastUpdated: '2026-01-01T12:00:04.000Z' },
        },
      },
      {
        fullUrl: `${BASE}/Patient/p1`,
        request: { method: 'DELETE', url: 'Patient/p1' },
        response: { status: '204 NoContent', etag: 'W/"3"', lastModified: '2026-01-01T12:00:03.000Z' },
        resource: {
          resourceType: 'Patient',
          id: 'p1',
          meta: { versionId: '3', lastUpdated: '2026-01-01T12:00:03.000Z' },
        },
      },
      expect.objectContaining({
        response: { status: '200 OK', etag: 'W/"2"', lastModified: '2026-01-01T12:00:01.000Z' },
      }),
      expect.objectContaining({
        response: { status: '201 Created', etag: 'W/"1"', lastModified: '2026-01-01T12:00:00.000Z' },
      }),
    ]);
  });

  it('given the history of a type and of all types, then each has its versions', () => {
    const { ask } = worldWithHistory();
    const ofPatients = ask('GET', 'Patient/_history').json;
    const ofAll = ask('GET', '_history').json;

    const requestsOf = ({ entry }: Json) =>
      entry?.map(({ request }) => `${request?.method} ${request?.url}`).join(', ');
    const put = 'PUT Patient/p1';
    expect(requestsOf(ofPatients)).toBe(`${put}, DELETE Patient/p1, ${put}, ${put}`);
    expect(requestsOf(ofAll)).toBe(`${put}, DELETE Patient/p1, POST Observation/, ${put}, ${put}`);
    expect(ask('GET', 'Device/_history').json).toMatchObject({ type: 'history' });
  });

  it.each([
    { query: '_since=2026-01-01T12:00:03Z', versions: ['4', '3'] },
    { query: '_since=2026-01-01T14:00:03.000%2B02:00', versions: ['4', '3'] },
    { query: '_since=2026-01-01T14:00:03.000+02:00', versions: ['4', '3'] },
    { query: '_before=2026-01-01T12:00:03Z', versions: ['2', '1'] },
    { query: '_since=2026-01-01T12:00:01Z&_before=2026-01-01T12:00:04Z', versions: ['3', '2'] },
    { query: '_since=2027', versions: [] },
    { query: '_sort=_lastUpdated', versions: ['1', '2', '3', '4'] },
    { query: '_sort=-_lastUpdated&_count=1000', versions: ['4', '3', '2', '1'] },
    { query: '_at=2020', versions: ['4', '3', '2', '1'] },
  ])('given $query, then the versions $versions', ({ query, versions }) => {
    const { ask } = worldWithHistory();

    const entries = ask('GET', `Patient/p1/_history?${query}`).json.entry ?? [];
    const versionsOnly = entries.filter(({ search }) => search === undefined);

    expect(versionsOnly.map(({ response }) => response?.etag)).toEqual(versions.map((version) => `W/"${version}"`));
  });

  it.each([
    { query: '_since=yesterday', status: 400 },
    { query: '_before=2026-13-01', status: 400 },
    { query: '_before=2030-01-01', status: 403 },
    { query: '_at=2020&_since=2020', status: 403 },
    { query: '_at=2020&_before=2020', status: 403 },
    { query: '_at=noon', status: 400 },
    { query: '_sort=_id', status: 403 },
    { query: '_count=many', status: 400 },
    { query: '_count=-1', status: 400 },
    { query: '_count=2147483648', status: 400 },
    { query: '_summary=abc', status: 400 },
    { query: 'ct=nonsense', status: 400 },
  ])('given $query, then $status', ({ query, status }) => {
    expect(worldWithHistory().ask('GET', `Patient/p1/_history?${query}`).status).toBe(status);
  });

  it('given _at alone, then a warning says that it has no effect, and strict handling refuses it', () => {
    const { ask } = worldWithHistory();

    expect(warningsOf(ask('GET', '_history?_at=2020').json)).toEqual([expect.stringContaining("'_at'")]);
    expect(ask('GET', '_history?_at=2020', undefined, { prefer: 'handling=strict' }).status).toBe(400);
  });

  it('given a hard delete and a new start under the same id, then only the new versions are in any history', () => {
    const { ask } = worldWithHistory();
    ask('DELETE', 'Patient/p1?_hardDelete=true');
    expect(ask('GET', '_history').json.entry?.map(({ request }) => request?.url)).toEqual(['Observation/']);

    ask('PUT', 'Patient/p1', patient('p1'));

    for (const url of ['_history?_count=1', 'Patient/_history', 'Patient/p1/_history']) {
      const [entry, ...rest] = ask('GET', url).json.entry ?? [];
      expect(rest).toEqual([]);
      expect(entry).toMatchObject({ request: { method: 'PUT', url: 'Patient/p1' }, response: { etag: 'W/"1"' } });
    }
  });

  it.each([{ query: '_count=0' }, { query: '_summary=count' }])('given $query, then only their number', ({ query }) => {
    const { json } = worldWithHistory().ask('GET', `Patient/_history?${query}`);

    expect(json.total).toBe(4);
    expect(json.entry).toBeUndefined();
  });

  it('given a count above the limit, then the answer says so', () => {
    const { json } = worldWithHistory().ask('GET', '_history?_count=5000');

    expect(warningsOf(json)).toEqual([expect.stringContaining('1000')]);
    expect(idsOf(json)).toHaveLength(5);
  });

  it('given writes between pages, then each earlier version is on exactly one page', () => {
    const { ask } = createFhirWorld();
    for (let n = 0; n < 25; n += 1) ask('PUT', 'Patient/p1', patient('p1', { multipleBirthInteger: n }));
    const seen: string[] = [];
    let url: string | undefined = 'Patient/p1/_history?_count=4';

    while (url !== undefined) {
      const { json } = ask('GET', url);
      seen.push(...(json.entry ?? []).map(({ response }) => response?.etag ?? ''));
      ask('PUT', 'Patient/p1', patient('p1', { multipleBirthInteger: 100 + seen.length }));
      url = linkOf(json, 'next');
    }

    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `W/"${25 - n}"`));
  });

  it('given a page with all versions, then it has no next page', () => {
    const { ask } = worldWithHistory();

    expect(linkOf(ask('GET', 'Patient/p1/_history?_count=4').json, 'next')).toBeUndefined();
    const next = linkOf(ask('GET', 'Patient/p1/_history?_count=3').json, 'next');
    expect(next).toContain(`${BASE}/Patient/p1/_history?_count=3&ct=`);
  });
});
