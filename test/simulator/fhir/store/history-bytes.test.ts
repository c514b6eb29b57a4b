import { createFhirWorld, currentOf, idsOf, patient } from '../fhir-world.js';

const kilobytes = (n: number, filler = 'x') => patient('big', { name: [{ text: filler.repeat(n * 1_000) }] });

describe('when old versions take more memory than they may', () => {
  it('given a resource with very many changes, then its oldest versions are dropped, and its current one stays', () => {
    const { ask, service, events } = createFhirWorld({ historyBytes: 10_000 });

    for (let n = 1; n <= 20; n += 1) ask('PUT', 'Patient/big', { ...kilobytes(2), multipleBirthInteger: n });

    expect(events()).toHaveLength(20);
    expect(currentOf(service, 'Patient', 'big')).toEqual({ version: 20, deleted: false });
    expect(ask('GET', 'Patient/big').json.meta?.versionId).toBe('20');
    expect(ask('GET', 'Patient/big/_history/19').status).toBe(200);
    expect(service.counts).toMatchObject({ resources: 1, versions: 5 });
    expect(service.counts.bytes).toBeLessThan(14_000);
    const etags = ask('GET', 'Patient/big/_history').json.entry?.map(({ response }) => response?.etag);
    expect(etags).toEqual(['W/"20"', 'W/"19"', 'W/"18"', 'W/"17"', 'W/"16"']);
    expect(ask('GET', '_history?_summary=count').json.total).toBe(5);
    const dropped = ask('GET', 'Patient/big/_history/3');
    expect(dropped.status).toBe(404);
    expect(dropped.problem).toContain('not kept any longer');
    expect(ask('GET', 'Patient/big/_history/21').problem).not.toContain('not kept');
  });

  it('given old versions of many resources, then those go first that became old first', () => {
    const { ask } = createFhirWorld({ historyBytes: 8_000 });
    const put = (id: string, n: number) =>
      ask('PUT', `Patient/${id}`, { ...kilobytes(2), id, multipleBirthInteger: n });

    for (const id of ['a', 'b', 'c', 'd']) put(id, 1);
    for (const id of ['d', 'c', 'b', 'a']) put(id, 2);

    expect(['a', 'b', 'c', 'd'].map((id) => ask('GET', `Patient/${id}/_history/1`).status)).toEqual([
      200, 200, 200, 404,
    ]);
    expect(['a', 'b', 'c', 'd'].map((id) => ask('GET', `Patient/${id}`).status)).toEqual([200, 200, 200, 200]);
  });

  it('given no memory for old versions, then current versions and searches stay the same', () => {
    const { ask, walk, service } = createFhirWorld({ historyBytes: 0 });
    for (let n = 0; n < 10; n += 1) ask('PUT', `Patient/q${n}`, patient(`q${n}`));
    for (let n = 0; n < 3_000; n += 1)
      ask('PUT', `Patient/p${n % 30}`, patient(`p${n % 30}`, { multipleBirthInteger: n }));
    ask('DELETE', 'Patient/p7');

    expect(service.counts).toMatchObject({ resources: 39, versions: 40 });
    expect(walk('Patient?_count=7').flat()).toHaveLength(39);
    expect(walk('Patient/_history?_count=7').flat()).toHaveLength(40);
    expect(ask('GET', 'Patient/p7').status).toBe(410);
    expect(ask('PUT', 'Patient/p7', patient('p7')).json.meta?.versionId).toBe('102');
  });

  it('given versions dropped between two pages, then the next page follows', () => {
    const { ask, walk } = createFhirWorld({ historyBytes: 6_000 });
    for (let n = 0; n < 10; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`));
    for (let n = 0; n < 10; n += 1) ask('PUT', `Patient/p${n}`, patient(`p${n}`, { active: true }));
    const first = ask('GET', '_history?_count=12').json;
    const next = first.link?.find(({ relation }) => relation === 'next')?.url ?? '';

    for (let n = 0; n < 2_500; n += 1) ask('PUT', 'Patient/p0', patient('p0', { multipleBirthInteger: n }));

    expect(idsOf(first)).toHaveLength(12);
    expect(walk(next).flat()).toEqual([]);
  });

  it('given transactions that fail, then no old version is dropped for them', () => {
    const { ask, service } = createFhirWorld({ historyBytes: 3_000 });
    ask('PUT', 'Patient/big', kilobytes(2));
    ask('PUT', 'Patient/big', kilobytes(2, 'y'));
    const before = service.counts;
    const entry = [
      { resource: kilobytes(4, 'z'), request: { method: 'PUT', url: 'Patient/big' } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
    ];

    for (let n = 0; n < 3; n += 1) {
      expect(ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry }).status).toBe(404);
    }
    ask('PUT', 'Patient/other', patient('other'));

    expect(service.counts).toMatchObject({ resources: before.resources + 1, versions: before.versions + 1 });
    expect(ask('GET', 'Patient/big/_history/1').status).toBe(200);
    expect(ask('GET', 'Patient/big').json.meta?.versionId).toBe('2');
  });
});

describe('when current versions take all the memory that they may', () => {
  it('given a write beyond the limit, then it is refused and changes nothing, until a resource is deleted', () => {
    const { ask, service, events } = createFhirWorld({ currentBytes: 4_000, historyBytes: 0 });
    const big = (id: string) => ({ ...kilobytes(2), id });
    ask('PUT', 'Patient/a', big('a'));
    events();

    const refused = ask('PUT', 'Patient/b', big('b'));
    const entry = (id: string) => ({ resource: patient(id), request: { method: 'PUT', url: `Patient/${id}` } });
    const transaction = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [entry('small'), { ...entry('c'), resource: big('c') }],
    };
    const undone = ask('POST', '', transaction);

    expect([refused.status, undone.status]).toEqual([507, 507]);
    expect(refused.problem).toContain('DELETE /api/simulator');
    expect(service.counts).toMatchObject({ resources: 1, versions: 1 });
    expect(events()).toEqual([]);
    expect(ask('PUT', 'Patient/small', patient('small')).status).toBe(201);

    expect(ask('DELETE', 'Patient/a').status).toBe(204);
    expect(ask('PUT', 'Patient/b', big('b')).status).toBe(201);
  });
});
