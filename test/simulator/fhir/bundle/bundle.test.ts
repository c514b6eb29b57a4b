import { BASE, createFhirWorld, idsOf, type Json, patient } from '../fhir-world.js';

const identified = (value: string) => ({ identifier: [{ system: 's', value }] });
const uuid = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

function bundle(type: string, entries: readonly unknown[]) {
  return { resourceType: 'Bundle', type, entry: entries };
}

function entry(
  method: string,
  url: string,
  resource?: unknown,
  more: { fullUrl?: string; [name: string]: unknown } = {},
) {
  const { fullUrl, ...request } = more;
  return {
    ...(fullUrl && { fullUrl }),
    ...(resource !== undefined && { resource }),
    request: { method, url, ...request },
  };
}

function patchEntry(url: string, patch: unknown, more = {}) {
  const data = Buffer.from(JSON.stringify(patch)).toString('base64');
  return entry('PATCH', url, { resourceType: 'Binary', contentType: 'application/json-patch+json', data }, more);
}

type BadEntry = { resource?: unknown; request?: { method?: string; url?: string } };

function createBundleWorld() {
  const world = createFhirWorld();
  const post = (type: string, entries: readonly unknown[], headers?: Record<string, string>) =>
    world.ask('POST', '', bundle(type, entries), headers);
  return { ...world, post };
}

function statusesOf(json: Json) {
  return json.entry?.map(({ response }) => response?.status);
}

describe('when a batch is posted', () => {
  it('given requests of all kinds, then each has its own answer, in their order, and each change its event', () => {
    const { ask, post, events, published } = createBundleWorld();
    for (const id of ['old', 'same', 'patched']) ask('PUT', `Patient/${id}`, patient(id, identified(id)));
    events();
    const calls = published.length;

    const { status, json } = post('batch', [
      entry('GET', 'Patient/new'),
      entry('POST', 'Patient', patient('ignored')),
      entry('PUT', 'Patient/new', patient('new')),
      entry('PUT', 'Patient/same', patient('same', identified('same'))),
      entry('PUT', 'Patient/wrong', patient('other')),
      entry('DELETE', 'Patient/old'),
      entry('DELETE', 'Patient/never'),
      patchEntry('Patient/patched', [{ op: 'add', path: '/active', value: true }]),
      patchEntry('Patient/patched', [{ op: 'remove', path: '/nothing' }]),
      entry('GET', 'Patient/old'),
      entry('GET', 'Patient?identifier=s|patched'),
      entry('GET', 'Dragon/1'),
      { resource: patient() },
      null,
      {},
      { request: {} },
      entry('POST', 'Patient', patient(undefined, identified('same')), { ifNoneExist: 'identifier=s|same' }),
      entry('PUT', 'Patient/same', patient('same', { active: true }), { ifMatch: 'W/"7"' }),
      entry('PUT', 'Patient?identifier=s|none', patient(undefined, identified('none'))),
      entry('DELETE', 'Patient?identifier=s|nobody'),
      entry('POST', 'Patient'),
      entry('POST', 'Patient', { resourceType: 'Patient', birthDate: ['2000', '2001'] }),
      entry('JUMP', 'Patient'),
      entry('GET', `${BASE}/Patient/same`),
      entry('GET', '/Patient/same'),
      entry('POST', '', bundle('batch', [])),
      entry('POST', '$export', patient()),
    ]);

    expect(status).toBe(200);
    expect(json).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' });
    const expected =
      '200 201 201 200 400 204 204 200 400 410 200 404 400 400 200 412 201 204 400 400 400 200 200 400 405';
    expect(statusesOf(json)?.join(' ')).toBe(expected);
    const [read, created, put] = json.entry ?? [];
    expect(read?.resource?.id).toBe('new');
    expect(created?.response).toEqual({
      status: '201',
      location: `${BASE}/Patient/${created?.resource?.id}/_history/1`,
      etag: 'W/"1"',
      lastModified: '2026-01-01T12:00:00.000Z',
    });
    expect(created?.resource?.id).not.toBe('ignored');
    expect(put?.resource).toMatchObject({ id: 'new', meta: { versionId: '1' } });
    expect(json.entry?.[4]).toEqual({
      response: { status: '400', outcome: expect.objectContaining({ resourceType: 'OperationOutcome' }) },
    });
    expect(json.entry?.[10]?.resource).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect(json.entry?.[14]?.resource?.id).toBe('same');
    expect(events().sort()).toEqual(
      [
        `Patient/${created?.resource?.id} created 1`,
        `Patient/${json.entry?.[16]?.resource?.id} created 1`,
        'Patient/new created 1',
        'Patient/old deleted 2',
        'Patient/patched updated 2',
      ].sort(),
    );
    expect(published.length - calls).toBe(5);
  });

  it('given a delete and a create of one resource, then the delete runs first, in either order', () => {
    const { ask, post } = createBundleWorld();
    ask('PUT', 'Patient/p1', patient('p1'));

    const { json } = post('batch', [entry('PUT', 'Patient/p1', patient('p1')), entry('DELETE', 'Patient/p1')]);

    expect(json.entry?.map(({ response }) => response?.etag)).toEqual(['W/"3"', 'W/"2"']);
  });

  it('given references between entries, then they stay as they are', () => {
    const { post } = createBundleWorld();

    const { json } = post('batch', [
      entry('POST', 'Patient', patient(), { fullUrl: uuid(1) }),
      entry('POST', 'Observation', { resourceType: 'Observation', subject: { reference: uuid(1) } }),
    ]);

    expect(json.entry?.[1]?.resource?.subject?.reference).toBe(uuid(1));
  });

  it('given Prefer: return=minimal, then no entry holds a resource', () => {
    const { post } = createBundleWorld();

    const { json } = post('batch', [entry('POST', 'Patient', patient())], {
      prefer: 'return=minimal',
    });

    expect(json.entry).toEqual([{ response: expect.objectContaining({ status: '201', etag: 'W/"1"' }) }]);
  });

  it('given strict handling, then it applies to every entry', () => {
    const { post } = createBundleWorld();

    const entries = [entry('GET', 'Patient?shoe-size=44'), entry('GET', 'Patient')];
    const { json } = post('batch', entries, { prefer: 'handling=strict' });

    expect(statusesOf(json)).toEqual(['400', '200']);
  });

  const creations = Array(501).fill(entry('POST', 'Patient', patient()));

  it.each([
    { given: 'no entries', body: { resourceType: 'Bundle', type: 'batch' }, status: 200 },
    { given: 'no bundle', body: patient(), status: 400 },
    { given: 'an array', body: [], status: 400 },
    { given: '500 entries', body: bundle('batch', Array(500).fill(entry('GET', 'Patient/p'))), status: 200 },
    { given: '501 entries', body: bundle('batch', creations), status: 400 },
    { given: '501 in a transaction', body: bundle('transaction', creations), status: 400 },
  ])('given $given, then $status', ({ body, status }) => {
    const { ask, service } = createFhirWorld();

    expect(ask('POST', '', body).status).toBe(status);
    expect(service.counts.versions).toBe(0);
  });
});

describe('when a bundle of another type is posted', () => {
  it.each([
    { type: undefined, status: 405, code: 'forbidden', problem: 'Bundle type is not present.' },
    { type: '', status: 405, code: 'forbidden', problem: 'Bundle type is not present.' },
    { type: 'collection', status: 405, code: 'forbidden', problem: "type 'collection'" },
    { type: 'Batch', status: 400, code: 'invalid', problem: 'The provided Bundle type is not supported.' },
    { type: 7, status: 400, code: 'invalid', problem: 'The provided Bundle type is not supported.' },
  ])('given the type $type, then $status', ({ type, status, code, problem }) => {
    const { ask, service } = createFhirWorld();

    const body = {
      resourceType: 'Bundle',
      ...(type !== undefined && { type }),
      entry: [entry('POST', 'Patient', patient())],
    };
    const answer = ask('POST', '', body);

    expect(answer).toMatchObject({ status, json: { issue: [{ code }] } });
    expect(answer.problem).toContain(problem);
    expect(service.counts.versions).toBe(0);
  });
});

describe('when a bundle has elements without content', () => {
  it('given one entry that is no list, and empty headers, then the entry runs without them', () => {
    const { ask } = createFhirWorld();

    const one = entry('POST', 'Patient', patient('', { name: [{}] }), { ifNoneExist: '', ifMatch: null });
    const { status, json } = ask('POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: { ...one, fullUrl: '' },
    });

    expect(status).toBe(200);
    expect(statusesOf(json)).toEqual(['201']);
  });

  it('given no entry but {}, then the answer has no entry', () => {
    const { status, json } = createBundleWorld().post('batch', [{}, null]);

    expect(status).toBe(200);
    expect(json.entry).toBeUndefined();
  });

  it('given a resource of {}, then the entry is refused', () => {
    const { json } = createBundleWorld().post('batch', [entry('POST', 'Patient', {})]);

    expect(statusesOf(json)).toEqual(['400']);
  });
});

describe('when a transaction is posted', () => {
  it('given references between entries, at any depth and in any order, then they lead to what was created', () => {
    const { ask, post, events, published } = createBundleWorld();
    const calls = published.length;

    const { status, json, text } = post('transaction', [
      entry(
        'POST',
        'Observation',
        {
          resourceType: 'Observation',
          subject: { reference: uuid(1) },
          performer: [{ reference: uuid(2) }, { reference: 'urn:uuid:of-nobody' }],
          extension: [{ url: 'x', extension: [{ url: 'y', valueReference: { reference: 'urn:oid:1.2.3' } }] }],
          contained: [{ resourceType: 'Provenance', target: [{ reference: uuid(1) }] }],
          valueString: uuid(1),
        },
        { fullUrl: uuid(3) },
      ),
      entry('POST', 'Patient', patient('ignored', { link: [{ other: { reference: uuid(3) } }] }), {
        fullUrl: uuid(1),
      }),
      entry('PUT', 'Practitioner/dr', { resourceType: 'Practitioner', id: 'dr' }, { fullUrl: uuid(2) }),
      entry('PUT', 'Device?identifier=d', { resourceType: 'Device' }, { fullUrl: 'urn:oid:1.2.3' }),
    ]);

    expect(status).toBe(200);
    expect(json.type).toBe('transaction-response');
    expect(statusesOf(json)).toEqual(['201', '201', '201', '201']);
    const [observation, ada, doctor, device] =
      json.entry?.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`) ?? [];
    expect(json.entry?.[0]?.resource).toMatchObject({
      subject: { reference: ada },
      performer: [{ reference: doctor }, { reference: 'urn:uuid:of-nobody' }],
      extension: [{ extension: [{ valueReference: { reference: device } }] }],
      contained: [{ target: [{ reference: ada }] }],
      valueString: uuid(1),
    });
    expect(json.entry?.[1]?.resource).toMatchObject({ link: [{ other: { reference: observation } }] });
    expect(doctor).toBe('Practitioner/dr');
    expect(text).not.toContain('ignored');
    expect(events().sort()).toEqual([observation, ada, doctor, device].map((name) => `${name} created 1`).sort());
    expect(published.length - calls).toBe(1);
    expect(ask('GET', observation ?? '').status).toBe(200);
  });

  it('given conditions, then references lead to the matching resource, or else to the created one', () => {
    const { ask, post, events } = createBundleWorld();
    const practitioner = { resourceType: 'Practitioner', ...identified('npi') };
    const organization = { resourceType: 'Organization' };
    ask('PUT', 'Practitioner/dr', { ...practitioner, id: 'dr' });
    ask('PUT', 'Patient/ada', patient('ada', identified('mrn')));
    events();

    const { json } = post('transaction', [
      entry('POST', 'Practitioner', practitioner, { fullUrl: uuid(1), ifNoneExist: 'identifier=s|npi' }),
      entry('PUT', 'Patient?identifier=s|mrn', patient(undefined, { ...identified('mrn'), active: true }), {
        fullUrl: uuid(2),
      }),
      entry('POST', 'Organization', organization, { fullUrl: uuid(3), ifNoneExist: 'identifier=s|org' }),
      entry('POST', 'Encounter', {
        resourceType: 'Encounter',
        subject: { reference: uuid(2) },
        participant: [
          { individual: { reference: uuid(1) } },
          { individual: { reference: 'Practitioner?identifier=s|npi' } },
        ],
        serviceProvider: { reference: uuid(3) },
      }),
    ]);

    expect(statusesOf(json)).toEqual(['200', '200', '201', '201']);
    expect(json.entry?.[3]?.resource).toMatchObject({
      subject: { reference: 'Patient/ada' },
      participant: [{ individual: { reference: 'Practitioner/dr' } }, { individual: { reference: 'Practitioner/dr' } }],
      serviceProvider: { reference: `Organization/${json.entry?.[2]?.resource?.id}` },
    });
    expect(events()).toHaveLength(3);
  });

  it('given three entries with the same unmet condition, then only the first is created', () => {
    const { post } = createBundleWorld();
    const organization = { resourceType: 'Organization', ...identified('org') };

    const { json } = post('transaction', [
      entry('POST', 'Organization', organization, { fullUrl: uuid(1), ifNoneExist: 'identifier=s|org' }),
      entry('POST', 'Organization', organization, { fullUrl: uuid(2), ifNoneExist: 'identifier=s|org' }),
      entry('POST', 'Organization', organization, { fullUrl: uuid(3), ifNoneExist: 'identifier=s|org' }),
      entry('POST', 'Location', { resourceType: 'Location', managingOrganization: { reference: uuid(2) } }),
    ]);

    const id = json.entry?.[0]?.resource?.id;
    expect(statusesOf(json)).toEqual(['201', '200', '200', '201']);
    expect(json.entry?.[3]?.resource).toMatchObject({ managingOrganization: { reference: `Organization/${id}` } });
  });

  it('given a conditional update that creates under its own id, then references lead to that id', () => {
    const { post } = createBundleWorld();

    const { json } = post('transaction', [
      entry('PUT', 'Patient?identifier=s|mrn', patient('mine', identified('mrn')), { fullUrl: uuid(1) }),
      entry('POST', 'Basic', { resourceType: 'Basic', subject: { reference: uuid(1) } }),
    ]);

    expect(json.entry?.[0]?.resource?.id).toBe('mine');
    expect(json.entry?.[1]?.resource?.subject?.reference).toBe('Patient/mine');
  });

  it('given a patch, a delete, a version to match and reads, then all are done', () => {
    const { ask, post, events } = createBundleWorld();
    for (const id of ['a', 'b', 'c']) ask('PUT', `Patient/${id}`, patient(id));
    events();

    const { json } = post('transaction', [
      entry('GET', 'Patient?_count=5'),
      patchEntry('Patient/a', [{ op: 'add', path: '/active', value: true }], { ifMatch: 'W/"1"' }),
      entry('DELETE', 'Patient/b'),
      entry('PUT', 'Patient/c', patient('c', { active: true }), { ifMatch: 'W/"1"' }),
      entry('HEAD', 'Patient/a'),
    ]);

    expect(statusesOf(json)).toEqual(['200', '200', '204', '200', '200']);
    expect(idsOf(json.entry?.[0]?.resource ?? {})).toEqual(['c', 'a']);
    expect(events().sort()).toEqual(['Patient/a updated 2', 'Patient/b deleted 2', 'Patient/c updated 2']);
  });

  it('given many changes, then their events come in another order than the entries', () => {
    const { post, events } = createBundleWorld();
    const ids = Array.from({ length: 30 }, (_, n) => `p${n}`);

    const entries = ids.map((id) => entry('PUT', `Patient/${id}`, patient(id)));
    post('transaction', entries);

    const published = events();
    const inOrder = ids.map((id) => `Patient/${id} created 1`);
    expect(published).not.toEqual(inOrder);
    expect([...published].sort()).toEqual([...inOrder].sort());
  });

  it.each<{ given: string; bad: BadEntry; status: number; problem?: string }>([
    {
      given: 'an invalid resource',
      bad: entry('POST', 'Patient', { resourceType: 'Patient', name: [], birthDate: ['2000', '2001'] }),
      status: 400,
      problem: "Transaction failed on 'POST' for the requested url '/Patient'.",
    },
    { given: 'an id that does not match', bad: entry('PUT', 'Patient/x', patient('y')), status: 400 },
    { given: 'another version', bad: entry('PUT', 'Patient/old', patient('old'), { ifMatch: 'W/"9"' }), status: 412 },
    { given: 'a read of nothing', bad: entry('GET', 'Patient/nobody'), status: 404 },
    { given: 'a patch that fails', bad: patchEntry('Patient/old', [{ op: 'remove', path: '/x' }]), status: 400 },
    { given: 'a FHIRPath patch', bad: entry('PATCH', 'Patient/old', { resourceType: 'Parameters' }), status: 415 },
    { given: 'a patch that is no Binary', bad: entry('PATCH', 'Patient/old', patient('old')), status: 400 },
    { given: 'an operation', bad: entry('POST', 'Patient/$validate', patient()), status: 405 },
    { given: 'a type that is none', bad: entry('POST', 'Dragon', patient()), status: 404 },
    {
      given: 'a reference that leads to nothing',
      bad: entry('POST', 'Basic', { resourceType: 'Basic', subject: { reference: 'Patient?identifier=nobody' } }),
      status: 400,
      problem: 'does not resolve',
    },
    {
      given: 'a condition that many meet',
      bad: entry('POST', 'Patient', patient(), { ifNoneExist: 'identifier=twin' }),
      status: 412,
      problem: 'selective',
    },
    { given: 'the same resource twice', bad: entry('DELETE', 'Patient/fine'), status: 400, problem: 'same resource' },
    {
      given: 'a fullUrl twice',
      bad: entry('POST', 'Patient', patient(), { fullUrl: uuid(1) }),
      status: 400,
      problem: 'same resource',
    },
    {
      given: 'the same by a condition',
      bad: entry('PUT', 'Patient?identifier=s|fine-too', patient()),
      status: 400,
      problem: "same resource 'Patient?identifier=s|fine-too'",
    },
    {
      given: 'a condition',
      bad: entry('DELETE', 'Patient?identifier=s|1'),
      status: 400,
      problem: 'not supported using DELETE',
    },
    {
      given: 'a search',
      bad: entry('POST', 'Patient/_search', patient()),
      status: 400,
      problem: 'not supported using POST',
    },
    { given: 'a bundle', bad: entry('POST', 'Bundle', bundle('collection', [])), status: 400, problem: 'Bundle' },
    { given: 'no request', bad: { resource: patient() }, status: 400, problem: 'request' },
    { given: 'no url', bad: { request: { method: 'POST' } }, status: 400, problem: 'url is required' },
    { given: 'no method', bad: { request: { url: 'Patient' } }, status: 400, problem: 'method' },
    { given: 'no resource', bad: entry('PUT', 'Patient/x'), status: 400 },
  ])(
    'given $given among the rest, then $status, it says which entry, and nothing has changed',
    ({ bad, status, problem }) => {
      const { ask, post, events, service } = createBundleWorld();
      ask('PUT', 'Patient/old', patient('old', identified('old')));
      ask('PUT', 'Patient/older', patient('older'));
      ask('PUT', 'Patient/fine-too', patient('fine-too', identified('fine-too')));
      for (const id of ['t1', 't2']) ask('PUT', `Patient/${id}`, patient(id, { identifier: [{ value: 'twin' }] }));
      events();
      const before = {
        counts: service.counts,
        all: ask('GET', '?_count=1000').json.entry,
        history: ask('GET', '_history').json.entry,
      };

      const answer = post('transaction', [
        entry('DELETE', 'Patient/older'),
        entry('POST', 'Observation', { resourceType: 'Observation', ...identified('new') }, { fullUrl: uuid(1) }),
        entry('PUT', 'Patient/fine', patient('fine', identified('fine'))),
        entry('PUT', 'Patient/fine-too', patient('fine-too', identified('changed'))),
        bad,
        patchEntry('Patient/t1', [{ op: 'add', path: '/active', value: true }]),
      ]);

      expect(answer.status).toBe(status);
      expect(answer.json.resourceType).toBe('OperationOutcome');
      expect(answer.json.issue?.map(({ diagnostics }) => diagnostics).join(' ')).toContain(
        problem ?? `'${bad.request?.method}'`,
      );
      expect(
        answer.json.issue?.every(({ expression }) => expression?.[0]?.startsWith('Bundle.entry[4]') ?? false),
      ).toBe(true);
      expect(events()).toEqual([]);
      expect(service.counts).toEqual(before.counts);
      expect(ask('GET', '?_count=1000').json.entry).toEqual(before.all);
      expect(ask('GET', '_history').json.entry).toEqual(before.history);
      expect(idsOf(ask('GET', 'Patient?identifier=s|fine-too').json)).toEqual(['fine-too']);
      expect(idsOf(ask('GET', '?identifier=s|changed,s|new,s|fine').json)).toEqual([]);
      expect(ask('PUT', 'Patient/fine', patient('fine')).status).toBe(201);
    },
  );

  it.each([
    { logic: undefined, status: 404, problem: "version '7' couldn't be found" },
    { logic: 'sequential', status: 404, problem: "version '7' couldn't be found" },
    { logic: 'parallel', status: 400, problem: 'Id in the URL' },
  ])('given two entries that fail, and processing that is $logic, then $status', ({ logic, status, problem }) => {
    const { ask, post, events, service } = createBundleWorld();
    ask('PUT', 'Patient/old', patient('old'));
    events();

    const answer = post(
      'transaction',
      [
        entry('DELETE', 'Patient/old'),
        entry('PUT', 'Patient/new', patient('new'), { ifMatch: 'W/"7"' }),
        entry('PUT', 'Patient/x', patient('y'), { ifMatch: 'W/"7"' }),
      ],
      logic === undefined ? {} : { 'x-bundle-processing-logic': logic },
    );

    expect(answer.status).toBe(status);
    expect(answer.json.issue?.[1]?.diagnostics).toContain(problem);
    expect(events()).toEqual([]);
    expect(service.counts).toMatchObject({ resources: 1, versions: 1 });
  });

  it('given only a version that does not exist, and parallel processing, then 404', () => {
    const { post, service } = createBundleWorld();

    const entries = [
      entry('POST', 'Patient', patient()),
      entry('PUT', 'Patient/new', patient('new'), { ifMatch: 'W/"7"' }),
    ];
    const { status } = post('transaction', entries, { 'x-bundle-processing-logic': 'parallel' });

    expect(status).toBe(404);
    expect(service.counts.versions).toBe(0);
  });

  it('given a transaction that changes its own new resource and then fails, then the resource does not exist', () => {
    const { ask, post, events, service } = createBundleWorld();

    const { status } = post('transaction', [
      entry('POST', 'Patient', patient(undefined, identified('new'))),
      entry('PUT', 'Patient?identifier=s|new', patient(undefined, { ...identified('new'), active: true })),
      entry('GET', 'Patient/nobody'),
    ]);

    expect(status).toBe(404);
    expect(events()).toEqual([]);
    expect(service.counts).toEqual({ resources: 0, versions: 0, bytes: 0 });
    expect(ask('GET', 'Patient?identifier=s|new&_total=accurate').json.total).toBe(0);
  });
});
