import { FHIR_HOST, json, status } from '../clients/stand-in.js';
import { changesOf, openPages } from './open-pages.js';
import { bundleOf, entryOf, fhirHistory, SPAN, timeOf, type Version, versionsOf } from './services.js';

describe('when the history of a FHIR service is read', () => {
  it('given creations, updates and deletions, then each is a change with its type, id, version and time', async () => {
    const versions: Version[] = [
      { type: 'Patient', id: 'p1', version: 1, time: timeOf(0) },
      { type: 'Device', id: 'd1', version: 7, time: timeOf(1) },
      { type: 'Patient', id: 'p1', version: 2, time: timeOf(2), method: 'DELETE' },
      { type: 'Patient', id: 'p1', version: 3, time: timeOf(3) },
    ];
    await using reading = await openPages('fhir', [fhirHistory(versions)]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages)).toEqual([
      change({ resourceId: 'p1', version: 1, change: 'created', time: timeOf(0) }),
      change({ resourceType: 'Device', resourceId: 'd1', version: 7, change: 'updated', time: timeOf(1) }),
      change({ resourceId: 'p1', version: 2, change: 'deleted', time: timeOf(2) }),
      change({ resourceId: 'p1', version: 3, change: 'updated', time: timeOf(3) }),
    ]);
    expect(pages.map(({ upTo }) => upTo)).toEqual([SPAN.before]);
    expect(reading.service.urls()).toEqual([
      '/_history?_sort=_lastUpdated&_count=1000&_since=2026-01-01T10%3A00%3A00.000Z&_before=2026-01-01T11%3A00%3A00.000Z',
    ]);
  });

  it('given a service with small pages, then all changes come, and each page says how far it reaches', async () => {
    await using reading = await openPages('fhir', [fhirHistory(versionsOf(25), { maxPage: 10 })]);

    const { pages } = await reading.all();

    expect(changesOf(pages).map(({ version, time }) => ({ version, time }))).toEqual(
      versionsOf(25).map(({ version, time }) => ({ version, time })),
    );
    expect(pages.map(({ upTo }) => upTo)).toEqual([timeOf(9), timeOf(19), SPAN.before]);
  });

  it('given one type, then only the history of this type is read', async () => {
    await using reading = await openPages('fhir', [fhirHistory(versionsOf(2))], {
      part: { kind: 'history', type: 'Device' },
    });

    const { pages } = await reading.all();

    expect(changesOf(pages)).toEqual([]);
    expect(reading.service.urls()[0]).toMatch(/^\/Device\/_history\?/);
  });

  it('given the current versions of a type, then each resource that is not deleted comes with its newest version', async () => {
    const versions: Version[] = [
      { type: 'Patient', id: 'p1', version: 1, time: timeOf(0) },
      { type: 'Patient', id: 'p2', version: 1, time: timeOf(1) },
      { type: 'Patient', id: 'p3', version: 1, time: timeOf(2) },
      { type: 'Patient', id: 'p1', version: 2, time: timeOf(3) },
      { type: 'Patient', id: 'p2', version: 2, time: timeOf(4), method: 'DELETE' },
    ];
    await using reading = await openPages('fhir', [fhirHistory(versions)], {
      part: { kind: 'current', type: 'Patient' },
    });

    const { pages } = await reading.all();

    expect(changesOf(pages)).toEqual([
      change({ resourceId: 'p3', version: 1, change: 'created', time: timeOf(2) }),
      change({ resourceId: 'p1', version: 2, change: 'updated', time: timeOf(3) }),
    ]);
    expect(reading.service.urls()).toEqual([
      '/Patient?_sort=_lastUpdated&_count=1000&_lastUpdated=ge2026-01-01T10%3A00%3A00.000Z&_lastUpdated=lt2026-01-01T11%3A00%3A00.000Z',
    ]);
  });

  it('given a deletion without a resource, then request and response name the change', async () => {
    const { request, response } = entryOf({ type: 'Patient', id: 'p1', version: 4, time: timeOf(5), method: 'DELETE' });
    await using reading = await openPages('fhir', [json(bundleOf([{ request, response }]))]);

    const { pages } = await reading.all();

    expect(changesOf(pages)).toEqual([change({ resourceId: 'p1', version: 4, change: 'deleted', time: timeOf(5) })]);
  });

  it('given times with an offset and seven digits, then the changes have times in UTC with milliseconds', async () => {
    const entry = entryOf({ type: 'Patient', id: 'p1', version: 1, time: timeOf(0) });
    entry.resource.meta.lastUpdated = '2026-01-01T12:30:00.1239999+02:00';
    await using reading = await openPages('fhir', [json(bundleOf([entry]))]);

    const { pages } = await reading.all();

    expect(changesOf(pages)[0]?.time).toBe('2026-01-01T10:30:00.123Z');
  });

  it('given only one page in another order, then its changes are sorted by time', async () => {
    const entries = versionsOf(3).reverse().map(entryOf);
    await using reading = await openPages('fhir', [json(bundleOf(entries))]);

    expect(changesOf((await reading.all()).pages).map(({ time }) => time)).toEqual([timeOf(0), timeOf(1), timeOf(2)]);
  });

  it('given a service that ignores the span, then only changes of the span come, and no page after its end is read', async () => {
    const entries = [timeOf(-1), timeOf(0), SPAN.before].map((time, at) =>
      entryOf({ type: 'Patient', id: `p${at}`, version: 1, time }),
    );
    await using reading = await openPages('fhir', [
      (_, response) => response.end(JSON.stringify(bundleOf(entries, '/more'))),
    ]);

    const { pages } = await reading.all();

    expect(changesOf(pages).map(({ time }) => time)).toEqual([timeOf(0)]);
    expect(pages.map(({ upTo }) => upTo)).toEqual([SPAN.before]);
    expect(reading.service.asked).toHaveLength(1);
  });

  it('given a service that begins long before the span, then its pages are read up to the span', async () => {
    let page = 0;
    const long = 150;
    await using reading = await openPages('fhir', [
      (request, response) => {
        page += 1;
        const entry = entryOf({ type: 'Patient', id: `p${page}`, version: 1, time: timeOf(page - long) });
        json(bundleOf([entry], page < long + 2 ? `/_history?ct=${page}` : undefined))(request, response);
      },
    ]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages).map(({ time }) => time)).toEqual([timeOf(0), timeOf(1), timeOf(2)]);
  });

  it('given the newest first, also after the end of the span, then the read throws, because older pages would be left out', async () => {
    const entries = [5, 4].map((hours, at) =>
      entryOf({ type: 'Patient', id: `p${at}`, version: 1, time: timeOf(hours * 3_600_000) }),
    );
    await using reading = await openPages('fhir', [json(bundleOf(entries, '/_history?ct=1'))]);

    expect((await reading.all()).error).toMatchObject({ code: 'fhir-out-of-order' });
  });

  it.each([
    { given: 'too large', refused: status(200, { 'content-length': '99999999' }) },
    { given: 'refused because of its number of entries', refused: status(400) },
  ])('given a page that is $given, then the rest is read in smaller pages, each change once', async ({ refused }) => {
    const history = fhirHistory(versionsOf(700));
    const answers = Array.from({ length: 12 }, (_, at) => (at === 1 ? refused : history));
    const small = fhirHistory(versionsOf(700), { maxPage: 300 });
    await using reading = await openPages('fhir', [small, ...answers.slice(1)]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages)).toHaveLength(700);
    const [, , smaller = ''] = reading.service.urls();
    expect(smaller).toContain(`_count=250&_since=${encodeURIComponent(timeOf(299))}`);
  });

  it('given a wait of a minute, then the read goes on after it', async () => {
    await using reading = await openPages('fhir', [status(429, { 'retry-after': '60' }), fhirHistory(versionsOf(1))]);

    const { pages } = await reading.all();

    expect(changesOf(pages)).toHaveLength(1);
    expect(reading.waits).toEqual([60_000]);
  });

  it('given a failure that passes, then the read goes on', async () => {
    await using reading = await openPages('fhir', [status(500), status(500), fhirHistory(versionsOf(1))]);

    expect(changesOf((await reading.all()).pages)).toHaveLength(1);
    expect(reading.waits).toEqual([1000, 5000]);
  });

  it('given entries without version, time, id or type, then they are counted, and the others are read', async () => {
    const good = versionsOf(2).map(entryOf);
    const { resource } = entryOf({ type: 'Patient', id: 'p9', version: 1, time: timeOf(1) });
    const broken = [
      { resource: { ...resource, meta: { lastUpdated: timeOf(1) } } },
      { resource: { ...resource, meta: { versionId: '1' } } },
      { resource: { ...resource, meta: { versionId: 'one', lastUpdated: timeOf(1) } } },
      { resource: { ...resource, meta: { versionId: '1', lastUpdated: 'yesterday' } } },
      { resource: { ...resource, id: undefined } },
      { resource: { ...resource, resourceType: 7 } },
      null,
      'entry',
    ];
    const warning = { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } };
    await using reading = await openPages('fhir', [json(bundleOf([...good, ...broken, warning]))]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages)).toHaveLength(2);
    expect(pages.map(({ unreadable }) => unreadable)).toEqual([8]);
  });
});

describe('when a FHIR service answers badly', () => {
  const oneEntry = [entryOf({ type: 'Patient', id: 'p1', version: 1, time: timeOf(1) })];

  it.each([
    { given: '401', answer: status(401), code: 'fhir-unauthorized' },
    { given: '403', answer: status(403), code: 'fhir-forbidden' },
    { given: '404', answer: status(404), code: 'fhir-not-found' },
    { given: '429 for long', answer: status(429, { 'retry-after': '400' }), code: 'fhir-throttled' },
    { given: '503 for long', answer: status(503), code: 'fhir-unavailable' },
    { given: '500 again and again', answer: status(500), code: 'fhir-server-error' },
    { given: '400 whatever the page', answer: status(400), code: 'fhir-http-400' },
    { given: 'garbage', answer: status(200, {}, '<html>M4RK3R</html>'), code: 'fhir-not-json' },
    { given: 'half a page', answer: status(200, {}, '{"resourceType":"Bundle","entry":[{'), code: 'fhir-not-json' },
    { given: 'a list', answer: json([]), code: 'fhir-other-resource' },
    { given: 'another resource', answer: json({ resourceType: 'M4RK3R' }), code: 'fhir-other-resource' },
    { given: 'nothing', answer: json(null), code: 'fhir-other-resource' },
    { given: 'a redirect', answer: status(302, { location: 'https://evil.example' }), code: 'fhir-redirected' },
    {
      given: 'a next page on another host',
      answer: json(bundleOf(oneEntry, 'https://evil.example/M4RK3R')),
      code: 'fhir-foreign-link',
    },
    { given: 'a next page that is itself', answer: json(bundleOf(oneEntry, '/_history?ct=1')), code: 'fhir-endless' },
    { given: 'a next page that is no URL', answer: json(bundleOf(oneEntry, 'http://[')), code: 'fhir-foreign-link' },
    {
      given: 'the newest first',
      answer: json(bundleOf(versionsOf(3).reverse().map(entryOf), '/_history?ct=1')),
      code: 'fhir-out-of-order',
    },
  ])('given $given, then the read fails with $code, without a part of the answer', async ({ answer, code }) => {
    await using reading = await openPages('fhir', [answer]);

    const { error } = await reading.all();

    expect(error).toMatchObject({ name: 'ReadError', code });
    expect(error?.message).toMatch(/^The FHIR service /);
    expect(`${error?.message} ${error?.stack}`).not.toMatch(/M4RK3R|evil/);
  });

  it('given new pages without a change, then the read ends as endless after 100 pages', async () => {
    let page = 0;
    await using reading = await openPages('fhir', [
      (request, response) => {
        page += 1;
        json(bundleOf(page % 2 === 0 ? [] : oneEntry, `/_history?ct=${page}`))(request, response);
      },
    ]);

    expect((await reading.all()).error).toMatchObject({ code: 'fhir-endless' });
    expect(page).toBe(102);
  });

  it('given a circle of pages with changes, then the read throws when the circle goes back in time', async () => {
    let page = 0;
    await using reading = await openPages('fhir', [
      (request, response) => {
        page += 1;
        const at = page % 3;
        const entry = entryOf({ type: 'Patient', id: `p${at}`, version: 1, time: timeOf(at) });
        json(bundleOf([entry], `/_history?ct=${page}`))(request, response);
      },
    ]);

    const { error, pages } = await reading.all();

    expect(error).toMatchObject({ code: 'fhir-out-of-order' });
    expect(pages).toHaveLength(2);
  });

  it('given a host that is not listed, then no request is sent, and no token is requested', async () => {
    await using reading = await openPages('fhir', [json({})]);
    const { signal } = new AbortController();

    expect(() => reading.readers.readers.pagesOf({ service: 'fhir', host: 'evil.example' }, signal)).toThrow(
      expect.objectContaining({ code: 'host-not-listed' }),
    );
    expect(reading.service.asked).toEqual([]);
  });

  it('given an abort during a wait, then the read ends without another request', async () => {
    await using reading = await openPages('fhir', [status(429, { 'retry-after': '60' })]);
    const first = reading.open().next();
    await reading.service.askedTimes(1);

    reading.abort();

    await expect(first).rejects.toMatchObject({ code: 'fhir-aborted' });
    expect(reading.service.asked.length).toBeLessThan(3);
  });
});

function change(fields: object) {
  return { service: 'fhir', host: FHIR_HOST, resourceType: 'Patient', ...fields };
}
