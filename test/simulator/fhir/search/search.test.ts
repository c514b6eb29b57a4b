import { readFileSync } from 'node:fs';
import { BASE, createFhirWorld, idsOf, linkOf, patient, warningsOf } from '../fhir-world.js';
import { searchParametersJson, TARGET } from './make-search-parameters.js';

function worldToSearch() {
  const world = createFhirWorld();
  const { ask, clock } = world;
  const put = (resource: Record<string, unknown>) => {
    ask('PUT', `${resource.resourceType}/${resource.id}`, resource);
    clock.advance(1_000);
  };
  put(patient('ada', { identifier: [{ system: 'http://mrn', value: '1' }, { value: 'x|y' }] }));
  const ssn = { system: 'http://ssn', value: '1' };
  put(patient('ben', { identifier: [{ system: 'http://mrn', value: '2' }, ssn] }));
  const meta = { tag: [{ system: 'http://t', code: 'vip' }], profile: ['http://p'] };
  put(patient('cid', { identifier: [{ value: '1' }], meta }));
  put({ ...observation('o1', 'Patient/ada'), identifier: [{ system: 'http://mrn', value: '1' }] });
  put(observation('o2', `${BASE}/Patient/ada`));
  put(observation('o3', 'http://elsewhere.test/Patient/ada'));
  put(observation('o4', 'Patient/ada/_history/1'));
  put(observation('o5', 'Device/ada'));
  put({ resourceType: 'Coverage', id: 'c1', beneficiary: { reference: 'Patient/ada' } });
  const participant = [{ actor: { reference: 'Patient/ada' } }, { actor: { reference: 'Patient/ben' } }];
  put({ resourceType: 'Appointment', id: 'a1', participant });
  put({ resourceType: 'QuestionnaireResponse', id: 'q1', identifier: { system: 'http://mrn', value: '9' } });
  put(patient('gone', { identifier: [{ system: 'http://mrn', value: '1' }] }));
  ask('DELETE', 'Patient/gone');
  return world;
}

function observation(id: string, subject: string) {
  return { resourceType: 'Observation', id, subject: { reference: subject } };
}

describe('when resources are searched', () => {
  it.each([
    { url: 'Patient', ids: ['ada', 'ben', 'cid'] },
    { url: 'Patient?_id=ben,ada,nobody', ids: ['ada', 'ben'] },
    { url: 'Patient?_id=gone', ids: [] },
    { url: 'Patient?_id=o1', ids: [] },
    { url: 'Patient?identifier=http://mrn|1', ids: ['ada'] },
    { url: 'Patient?identifier=http%3A%2F%2Fmrn%7C1', ids: ['ada'] },
    { url: 'Patient?identifier=1', ids: ['ada', 'ben', 'cid'] },
    { url: 'Patient?identifier=|1', ids: ['cid'] },
    { url: 'Patient?identifier=http://mrn|', ids: ['ada', 'ben'] },
    { url: 'Patient?identifier=http://mrn|1,http://mrn|2', ids: ['ada', 'ben'] },
    { url: 'Patient?identifier=http://mrn|2&identifier=http://ssn|1', ids: ['ben'] },
    { url: 'Patient?identifier=http://mrn|1&identifier=http://ssn|1', ids: [] },
    { url: 'Patient?identifier=x\\|y', ids: ['ada'] },
    { url: 'Patient?identifier=HTTP://MRN|1', ids: [] },
    { url: 'Patient?identifier=1&_id=cid', ids: ['cid'] },
    { url: 'Patient?_tag=http://t|vip', ids: ['cid'] },
    { url: 'Patient?_tag=vip', ids: ['cid'] },
    { url: 'Patient?_profile=http://p', ids: ['cid'] },
    { url: 'QuestionnaireResponse?identifier=9', ids: ['q1'] },
    { url: 'Observation?subject=Patient/ada', ids: ['o1', 'o2', 'o4'] },
    { url: `Observation?subject=${BASE}/Patient/ada`, ids: ['o1', 'o2', 'o4'] },
    { url: 'Observation?subject=http://elsewhere.test/Patient/ada', ids: ['o3'] },
    { url: 'Observation?subject=ada', ids: ['o1', 'o2', 'o4', 'o5'] },
    { url: 'Observation?subject:Device=ada', ids: ['o5'] },
    { url: 'Observation?subject:Patient=ada', ids: ['o1', 'o2', 'o4'] },
    { url: 'Observation?patient=ada', ids: ['o1', 'o2', 'o4'] },
    { url: 'Observation?patient=Patient/ada,Device/ada', ids: ['o1', 'o2', 'o4', 'o5'] },
    { url: 'Observation?subject=Patient/nobody', ids: [] },
    { url: 'Observation?patient=ada&identifier=1', ids: ['o1'] },
    { url: 'Coverage?patient=ada', ids: ['c1'] },
    { url: 'Appointment?patient=Patient/ben', ids: ['a1'] },
    { url: 'Device', ids: [] },
    { url: '?identifier=http://mrn|1', ids: ['ada', 'o1'] },
    { url: '?patient=ada&_type=Coverage,Appointment', ids: ['c1', 'a1'] },
    { url: '?_type=Patient', ids: ['ada', 'ben', 'cid'] },
    { url: '?_id=ada,o1', ids: ['ada', 'o1'] },
    { url: 'Patient?_lastUpdated=2026-01-01T12:00:01Z', ids: ['ben'] },
    { url: 'Patient?_lastUpdated=2026-01-01T13:00:01+01:00', ids: ['ben'] },
    { url: 'Patient?_lastUpdated=eq2026-01-01', ids: ['ada', 'ben', 'cid'] },
    { url: 'Patient?_lastUpdated=ne2026-01-01T12:00:01Z', ids: ['ada', 'cid'] },
    { url: 'Patient?_lastUpdated=gt2026-01-01T12:00:01.000Z', ids: ['cid'] },
    { url: 'Patient?_lastUpdated=sa2026-01-01T12:00:01Z', ids: ['cid'] },
    { url: 'Patient?_lastUpdated=ge2026-01-01T12:00:01Z', ids: ['ben', 'cid'] },
    { url: 'Patient?_lastUpdated=lt2026-01-01T12:00:01Z', ids: ['ada'] },
    { url: 'Patient?_lastUpdated=eb2026-01-01T12:00:01Z', ids: ['ada'] },
    { url: 'Patient?_lastUpdated=le2026-01-01T12:00:01Z', ids: ['ada', 'ben'] },
    { url: 'Patient?_lastUpdated=gt2025&_lastUpdated=lt2026-01-01T12:00:01Z', ids: ['ada'] },
    { url: 'Patient?_lastUpdated=gt2026-01-01T12:00:01Z&_lastUpdated=lt2026-01-01T12:00:02Z', ids: [] },
    { url: 'Patient?_lastUpdated=ge2026-01&_lastUpdated=lt2026-02', ids: ['ada', 'ben', 'cid'] },
    { url: 'Patient?_lastUpdated=gt2026', ids: [] },
    { url: 'Patient?_sort=-_lastUpdated', ids: ['cid', 'ben', 'ada'] },
    { url: 'Patient?_sort=_lastUpdated', ids: ['ada', 'ben', 'cid'] },
    { url: 'Patient?identifier=1&_sort=-_lastUpdated', ids: ['cid', 'ben', 'ada'] },
  ])('given $url, then $ids', ({ url, ids }) => {
    const { status, json } = worldToSearch().ask('GET', url);

    expect(status).toBe(200);
    expect(json.type).toBe('searchset');
    expect(warningsOf(json)).toEqual([]);
    expect(idsOf(json)).toEqual(ids);
  });

  it('given a match, then the entry has its URL and the whole resource', () => {
    const { ask } = worldToSearch();

    const { json } = ask('GET', 'Patient?_id=ada');

    expect(json.entry).toEqual([
      { fullUrl: `${BASE}/Patient/ada`, resource: ask('GET', 'Patient/ada').json, search: { mode: 'match' } },
    ]);
    expect(json.link).toEqual([{ relation: 'self', url: `${BASE}/Patient?_id=ada` }]);
    expect(json.total).toBeUndefined();
  });

  it('given profiles with versions and fragments, then a search finds them by their URL, and by no version', () => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Patient/p', patient('p', { meta: { profile: ['http://other', 'http://p|1#part'] } }));

    const found = (url: string) => idsOf(ask('GET', `Patient?_profile=${encodeURIComponent(url)}`).json);

    expect(found('http://p')).toEqual(['p']);
    expect(found('http://other')).toEqual(['p']);
    expect(found('http://p|1')).toEqual([]);
    expect(found('http://p|1#part')).toEqual([]);
  });

  it('given a changed resource, then only its current values find it', () => {
    const { ask } = worldToSearch();
    ask('PUT', 'Patient/ada', patient('ada', { identifier: [{ system: 'http://mrn', value: '7' }] }));
    ask('DELETE', 'Patient/ben');

    expect(idsOf(ask('GET', 'Patient?identifier=1').json)).toEqual(['cid']);
    expect(idsOf(ask('GET', 'Patient?identifier=7').json)).toEqual(['ada']);
    expect(idsOf(ask('GET', 'Patient?identifier=http://mrn|').json)).toEqual(['ada']);
    expect(idsOf(ask('GET', 'Patient').json)).toEqual(['cid', 'ada']);
  });

  it.each([
    { url: 'Patient/_search', body: 'identifier=1&_count=2', ids: ['ada', 'ben'] },
    { url: 'Patient/_search?identifier=1', body: '_id=cid', ids: ['cid'] },
    { url: '_search', body: '_type=Coverage', ids: ['c1'] },
    { url: 'Patient/_search?_id=ada', body: '', ids: ['ada'] },
  ])('given POST $url with $body, then $ids', ({ url, body, ids }) => {
    const answer = worldToSearch().ask('POST', url, body, { 'content-type': 'application/x-www-form-urlencoded' });

    expect(idsOf(answer.json)).toEqual(ids);
  });

  it('given POST with JSON, then 415', () => {
    expect(worldToSearch().ask('POST', 'Patient/_search', { identifier: 1 }).status).toBe(415);
  });

  it('given POST, then the link to the next page can be followed', () => {
    const { ask, walk } = worldToSearch();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };

    const { json } = ask('POST', 'Patient/_search', 'identifier=1&_count=2', form);

    expect(walk(linkOf(json, 'next') ?? '')).toEqual([['cid']]);
  });

  it.each([
    { url: 'Patient?_total=accurate&_count=1', total: 3, entries: 1 },
    { url: 'Patient?_total=none', total: undefined, entries: 3 },
    { url: 'Patient?_summary=count', total: 3, entries: 0 },
    { url: 'Patient?_count=0', total: 3, entries: 0 },
    { url: 'Patient?identifier=http://mrn|&_total=accurate', total: 2, entries: 2 },
  ])('given $url, then a total of $total', ({ url, total, entries }) => {
    const { json } = worldToSearch().ask('GET', url);

    expect(json.total).toBe(total);
    expect(idsOf(json)).toHaveLength(entries);
  });

  it('given _elements or _summary=data, then the rest is left out, and the resource says so', () => {
    const { ask } = createFhirWorld();
    const text = { status: 'empty', div: '<div/>' };
    ask('PUT', 'Patient/p', patient('p', { text, active: true, birthDate: '2000', _birthDate: { id: 'x' } }));
    const subsetted = { tag: [expect.objectContaining({ code: 'SUBSETTED' })] };

    expect(ask('GET', 'Patient?_elements=birthDate').json.entry?.[0]?.resource).toEqual({
      resourceType: 'Patient',
      id: 'p',
      meta: { versionId: '1', lastUpdated: '2026-01-01T12:00:00.000Z', ...subsetted },
      birthDate: '2000',
      _birthDate: { id: 'x' },
    });
    expect(ask('GET', 'Patient?_summary=data').json.entry?.[0]?.resource).toEqual(
      expect.objectContaining({ active: true, meta: expect.objectContaining(subsetted) }),
    );
    expect(ask('GET', 'Patient?_summary=data').text).not.toContain('"text"');
    expect(ask('GET', 'Patient/p').text).not.toContain('SUBSETTED');
  });
});

describe('when a search has an unsupported parameter', () => {
  it.each([
    { query: 'shoe-size=44', warning: "'shoe-size'" },
    { query: 'subject=Patient/ada', warning: "'subject'" },
    { query: 'identifier=', warning: "'identifier'" },
    { query: '_count=', warning: "'_count'" },
    { query: '_total=', warning: "'_total'" },
    { query: '_sort=', warning: "'_sort'" },
    { query: '_sort=family', warning: "'family'" },
    { query: '_summary=true', warning: "'_summary=true'" },
    { query: 'constructor=1', warning: "'constructor'" },
    { query: '__proto__=1', warning: "'__proto__'" },
  ])(
    'given $query, then it is ignored, and the answer says so; with strict handling it is refused',
    ({ query, warning }) => {
      const { ask } = worldToSearch();

      const lenient = ask('GET', `Patient?${query}&_id=ada`);
      const strict = ask('GET', `Patient?${query}&_id=ada`, undefined, { prefer: 'handling=strict' });

      expect(idsOf(lenient.json)).toEqual(['ada']);
      expect(warningsOf(lenient.json)).toEqual([expect.stringContaining(warning)]);
      expect(lenient.json.entry?.[0]?.search?.mode).toBe('outcome');
      expect(strict).toMatchObject({ status: 400, json: { resourceType: 'OperationOutcome' } });
      expect(strict.problem).toContain(warning);
    },
  );

  it('given an ignored parameter, then the links leave it out, too', () => {
    const { ask } = worldToSearch();

    const { json } = ask('GET', 'Patient?shoe-size=44&_count=1');

    expect(linkOf(json, 'self')).toBe(`${BASE}/Patient?_count=1`);
    expect(linkOf(json, 'next')).not.toContain('shoe-size');
  });

  it.each([
    { query: '_count=x', status: 400 },
    { query: '_count=-1', status: 400 },
    { query: '_count=1.5', status: 400 },
    { query: '_total=maybe', status: 400 },
    { query: '_total=estimate', status: 403 },
    { query: '_summary=short', status: 400 },
    { query: '_elements=', status: 400 },
    { query: '_elements=%20', status: 400 },
    { query: '_pretty=abc', status: 400 },
    { query: '_pretty=', status: 400 },
    { query: '_summary=', status: 400 },
    { query: '_count=2147483648', status: 400 },
    { query: '_elements=id&_summary=count', status: 400 },
    { query: '_lastUpdated=yesterday', status: 400 },
    { query: '_lastUpdated=xx2026', status: 400 },
    { query: '_lastUpdated=2026-02-31', status: 400 },
    { query: '_lastUpdated=ge', status: 400 },
    { query: 'identifier=a|b|c', status: 400 },
    { query: 'identifier:not=1', status: 403 },
    { query: 'ct=AAAA', status: 400 },
    { query: 'ct=YWZ0ZXI6MQ&ct=YWZ0ZXI6MQ', status: 403 },
  ])('given $query, then $status', ({ query, status }) => {
    const answer = worldToSearch().ask('GET', `Patient?${query}`);

    expect(answer.status).toBe(status);
    expect(answer.json.resourceType).toBe('OperationOutcome');
  });
});

describe('when a search names what it does not have', () => {
  it('given an empty _type, then 400; given an unknown one beside a known one, then a warning', () => {
    const { ask } = worldToSearch();

    expect(ask('GET', '?_type=').status).toBe(400);
    expect(ask('POST', '_search', '_type=', { 'content-type': 'application/x-www-form-urlencoded' }).status).toBe(400);
    const { json } = ask('GET', '?_type=Dragon,Coverage');
    expect(idsOf(json)).toEqual(['c1']);
    expect(warningsOf(json)).toEqual([expect.stringContaining('Dragon')]);
  });

  it('given 2,097 ids, then they are searched; given one more, then 400', () => {
    const { ask } = worldToSearch();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const ids = ['ada', ...Array.from({ length: 2_096 }, (_, n) => String(n))].join(',');

    expect(idsOf(ask('POST', 'Patient/_search', `_id=${ids}`, form).json)).toEqual(['ada']);
    expect(ask('POST', 'Patient/_search', `_id=${ids},2097`, form)).toMatchObject({
      status: 400,
      json: { issue: [{ code: 'invalid' }] },
    });
  });
});

describe('when a search has many pages', () => {
  it('given a total, then it is on the first page, and no link asks for it again', () => {
    const { ask } = worldToSearch();

    const first = ask('GET', 'Patient?_total=accurate&_count=2').json;
    const next = linkOf(first, 'next') ?? '';
    const second = ask('GET', next).json;

    expect(first.total).toBe(3);
    expect(linkOf(first, 'self')).toBe(`${BASE}/Patient?_total=accurate&_count=2`);
    expect(next).not.toContain('_total');
    expect(second.total).toBeUndefined();
    expect(idsOf(second)).toEqual(['cid']);
  });

  it.each([{ count: 1 }, { count: 7 }, { count: 10 }, { count: 24 }, { count: 25 }, { count: 1_000 }])(
    'given $count a page, then each resource comes once',
    ({ count }) => {
      const { ask, walk } = createFhirWorld();
      for (let n = 0; n < 25; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`, { identifier: [{ value: 'x' }] }));
      const all = Array.from({ length: 25 }, (_, n) => `p${n}`);

      const pages = walk(`Patient?_count=${count}`);

      expect(pages.flat()).toEqual(all);
      expect(pages).toHaveLength(Math.ceil(25 / count));
      expect(walk(`Patient?_count=${count}&_sort=-_lastUpdated`).flat()).toEqual([...all].reverse());
      expect(walk(`Patient?_count=${count}&identifier=x`).flat()).toEqual(all);
      expect(walk(`?_count=${count}&_id=p1,p7,p3`).flat()).toEqual(['p1', 'p3', 'p7']);
    },
  );

  it('given a page that is not the first, then there is no warning about its token', () => {
    const { ask } = createFhirWorld();
    for (let n = 0; n < 3; n += 1) ask('POST', 'Patient', patient());

    const next = linkOf(ask('GET', 'Patient?_count=2').json, 'next') ?? '';

    expect(ask('GET', next, undefined, { prefer: 'handling=strict' }).status).toBe(200);
    expect(linkOf(ask('GET', next).json, 'self')).toBe(`${BASE}/Patient?_count=2`);
  });

  it('given ten a page are the default, and a thousand the most', () => {
    const { ask } = createFhirWorld();
    for (let n = 0; n < 1_001; n += 1) ask('POST', 'Patient', patient());

    expect(idsOf(ask('GET', 'Patient').json)).toHaveLength(10);
    for (const count of ['5000', '2147483647']) {
      const most = ask('GET', `Patient?_count=${count}`).json;
      expect(idsOf(most)).toHaveLength(1_000);
      expect(warningsOf(most)).toEqual([expect.stringContaining('exceeds limit 1000')]);
    }
  });

  it.each([{ query: '' }, { query: '&identifier=x' }, { query: '&_sort=-_lastUpdated' }])(
    'given writes between pages ($query), then each unchanged resource is on exactly one page',
    ({ query }) => {
      const { ask } = createFhirWorld();
      const put = (n: number, more = {}) =>
        ask('PUT', `Patient/p${n}`, patient(`p${n}`, { identifier: [{ value: 'x' }], ...more }));
      for (let n = 0; n < 40; n += 1) put(n);
      const seen: string[] = [];
      let url: string | undefined = `Patient?_count=3${query}`;

      for (let page = 0; url !== undefined && page < 30; page += 1) {
        const { json } = ask('GET', url);
        seen.push(...idsOf(json));
        // The resources with an odd number never change.
        ask('DELETE', `Patient/p${page * 2}${page % 4 === 0 ? '?hardDelete=true' : ''}`);
        put((page * 6 + 2) % 40, { active: page % 3 === 0 });
        ask('POST', 'Patient', patient());
        url = linkOf(json, 'next');
      }

      const odd = Array.from({ length: 20 }, (_, n) => `p${n * 2 + 1}`);
      const seenOdd = seen.filter((id) => odd.includes(id));
      expect([...seenOdd].sort()).toEqual([...odd].sort());
    },
  );
});

describe('when there are 20,000 resources', () => {
  it('given searches by identifier and by patient, then no other resource is looked at', () => {
    const { ask } = createFhirWorld();
    for (let n = 0; n < 20_000; n += 1) {
      const identifier = [{ system: 's', value: `v${n}` }];
      ask('PUT', `Observation/o${n}`, { ...observation(`o${n}`, `Patient/p${n % 2_000}`), identifier });
    }
    const parse = jest.spyOn(JSON, 'parse');

    const byIdentifier = ask('GET', 'Observation?identifier=s|v12345');
    const byPatient = ask('GET', 'Observation?patient=p77');
    const parsed = parse.mock.calls.length;
    parse.mockRestore();

    expect(idsOf(byIdentifier.json)).toEqual(['o12345']);
    expect(idsOf(byPatient.json)).toHaveLength(10);
    expect(parsed).toBe(2); // The test's own, of the two answers.
  });
});

describe('the list of search parameters', () => {
  it('given the types of FHIR R4 in @types/fhir, then the list says the same', () => {
    expect(readFileSync(TARGET, 'utf8')).toBe(searchParametersJson());
  });
});
