import { Readable } from 'node:stream';
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { type FhirResource, NonRetriableError } from '../../src/workflow.js';
import { FHIR_HOST, failureOf, json, PATIENT, startReaders, startService, status } from './stand-in.js';

const bundle = (ids: readonly string[], next?: string) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: ids.map((id) => ({ resource: { resourceType: 'Observation', id }, search: { mode: 'match' } })),
  link: [{ relation: 'self', url: 'x' }, ...(next === undefined ? [] : [{ relation: 'next', url: next }])],
});

async function idsOf(found: AsyncIterable<FhirResource>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id = '' } of found) ids.push(id);
  return ids;
}

describe('when a handler reads', () => {
  it('given the current resource, its version and another, then each is asked for by its path', async () => {
    await using service = await startService(json(PATIENT), json(PATIENT), json({ resourceType: 'Organization' }));
    const { fhir } = startReaders(service);
    const resource = fhir({ version: 7 });

    expect(await resource.current()).toEqual(PATIENT);
    expect(await resource.version()).toEqual(PATIENT);
    expect(await resource.read('Organization', 'o1')).toEqual({ resourceType: 'Organization' });

    expect(service.urls()).toEqual(['/Patient/p1', '/Patient/p1/_history/7', '/Organization/o1']);
    expect(service.asked.map(({ accept }) => accept)).toEqual(Array(3).fill('application/fhir+json'));
  });

  it('given an operation, then its path follows that of the resource, and its answer may be any resource', async () => {
    await using service = await startService(json(bundle(['o1'])), status(404));
    const { fhir } = startReaders(service);

    const found = await fhir().operation('$everything', { _type: ['A', 'B'], _count: 5 });
    expect(found).toMatchObject({ type: 'searchset' });
    expect(await fhir().operation('$everything')).toBeUndefined();

    expect(service.urls()).toEqual(['/Patient/p1/$everything?_type=A&_type=B&_count=5', '/Patient/p1/$everything']);
  });

  it.each(['$', '$../x', '$export?x', '$a/b', 'everything'])(
    'given the operation %s, then no request is sent',
    async (name) => {
      await using service = await startService(json(PATIENT));
      const { fhir } = startReaders(service);
      expect(await failureOf(fhir().operation(name as '$'))).toMatchObject({ code: 'operation-name' });
      expect(service.asked).toEqual([]);
    },
  );
});

describe('when an id is meant to lead elsewhere', () => {
  it.each([
    { id: '../$export', path: '/Patient/..%2F%24export' },
    { id: '..%2f$export', path: '/Patient/..%252f%24export' },
    { id: '%2e%2e', path: '/Patient/%252e%252e' },
    { id: 'a?_format=xml', path: '/Patient/a%3F_format%3Dxml' },
    { id: 'a#b', path: '/Patient/a%23b' },
    { id: 'a b\\..\\c', path: '/Patient/a%20b%5C..%5Cc' },
    { id: '//evil.example/x', path: '/Patient/%2F%2Fevil.example%2Fx' },
    { id: '@evil.example', path: '/Patient/%40evil.example' },
    { id: 'a\r\nHost: evil.example', path: '/Patient/a%0D%0AHost%3A%20evil.example' },
    { id: '...', path: '/Patient/...' },
  ])('given $id, then the id stays one segment of the path', async ({ id, path }) => {
    await using service = await startService(status(404));
    const { fhir } = startReaders(service);

    await fhir({ resourceId: id, version: 3 }).current();
    await fhir({ resourceId: id, version: 3 }).version();
    await fhir().read('Patient', id);
    await fhir({ resourceId: id }).operation('$everything');

    expect(service.urls()).toEqual([path, `${path}/_history/3`, path, `${path}/$everything`]);
  });

  it.each(['.', '..', '\ud800'])(
    'given %j, which no URL can hold, then no request is sent, and the error is final',
    async (id) => {
      await using service = await startService(json(PATIENT));
      const { fhir } = startReaders(service);

      const resource = fhir({ resourceId: id });
      for (const read of [resource.current(), resource.version(), fhir().read('Patient', id)]) {
        const error = await failureOf(read);
        expect(error).toBeInstanceOf(NonRetriableError);
        expect(error.code).toBe('id-not-addressable');
      }
      expect(await failureOf(fhir().read('Patient', ''))).toMatchObject({ code: 'id-not-addressable' });
      expect(service.asked).toEqual([]);
    },
  );
});

describe('when a handler searches', () => {
  it('given pages, then they are asked for as they are needed, and lead to the service as it is reached', async () => {
    await using service = await startService(
      json(bundle(['o1', 'o2'], `https://${FHIR_HOST}/Observation?patient=p1&ct=page-2`)),
      json(bundle([], '/Observation?ct=page-3')),
      json(bundle(['o3'], `${FHIR_HOST}-is-no-address`)),
      status(404),
    );
    const { fhir, counters } = startReaders(service);
    const found = fhir().search('Observation', { patient: 'p1', code: 'a|b & c', active: true });
    expect(service.asked).toEqual([]);

    expect(await idsOf(found)).toEqual(['o1', 'o2', 'o3']);

    expect(service.urls()).toEqual([
      '/Observation?patient=p1&code=a%7Cb+%26+c&active=true',
      '/Observation?patient=p1&ct=page-2',
      '/Observation?ct=page-3',
      `/${FHIR_HOST}-is-no-address`,
    ]);
    expect(counters).toMatchObject({ fhirReadsDone: 3, fhirReadsGone: 1 });
  });

  it('given the handler leaves the loop, then no further page is requested', async () => {
    await using service = await startService(json(bundle(['o1'], '/Observation?ct=2')));
    for await (const { id } of startReaders(service).fhir().search('Observation')) {
      expect(id).toBe('o1');
      break;
    }
    expect(service.urls()).toEqual(['/Observation']);
  });

  it('given included resources and outcomes, then only matches are returned', async () => {
    const page = bundle(['o1']);
    page.entry.push({ resource: { resourceType: 'Patient', id: 'p1' }, search: { mode: 'include' } });
    page.entry.push({ resource: { resourceType: 'OperationOutcome', id: 'x' }, search: { mode: 'outcome' } });
    await using service = await startService(json(page));
    expect(await idsOf(startReaders(service).fhir().search('Observation'))).toEqual(['o1']);
  });

  it.each([
    'https://evil.example/Observation?ct=2',
    `https://${FHIR_HOST}.evil.example/Observation`,
    `https://${FHIR_HOST}@evil.example/Observation`,
    `https://user:secret@${FHIR_HOST}/Observation`,
    `http://${FHIR_HOST}/Observation`,
    `https://${FHIR_HOST}:8443/Observation`,
    '//evil.example/Observation',
    'file:///etc/passwd',
    'https://',
  ])('given a next page at %s, then it is refused, and not asked for', async (next) => {
    await using service = await startService(json(bundle(['o1'], next)));
    const readers = startReaders(service);
    expect(await failureOf(idsOf(readers.fhir().search('Observation')))).toMatchObject({ code: 'fhir-foreign-link' });
    expect(service.asked).toHaveLength(1);
  });

  it('given a service behind a path, then a next page beside that path is refused', async () => {
    await using service = await startService(json(bundle(['o1'], '/other/Observation?ct=2')));
    const readers = startReaders({ url: `${service.url}/fhir` });
    expect(await failureOf(idsOf(readers.fhir().search('Observation')))).toMatchObject({ code: 'fhir-foreign-link' });
    expect(service.urls()).toEqual(['/fhir/Observation']);
  });

  it('given a page whose next page is itself, then the search ends with an error', async () => {
    await using service = await startService(json(bundle(['o1'], '/Observation?a=1')));
    const found = startReaders(service).fhir().search('Observation', { a: 1 });
    expect(await failureOf(idsOf(found))).toMatchObject({ code: 'fhir-endless' });
  });

  it('given pages that lead back to the first, then the search ends with an error after one request for each', async () => {
    await using service = await startService(
      json(bundle(['o1'], '/Observation?ct=2')),
      json(bundle(['o2'], '/Observation?ct=3')),
      json(bundle(['o3'], '/Observation?ct=2')),
    );
    const found = startReaders(service).fhir().search('Observation');
    expect(await failureOf(idsOf(found))).toMatchObject({ code: 'fhir-endless' });
    expect(service.urls()).toEqual(['/Observation', '/Observation?ct=2', '/Observation?ct=3']);
  });

  it('given new pages without end, then the search ends with an error after 10,000', async () => {
    let pages = 0;
    const httpClient: HttpClient = {
      async sendRequest(request) {
        pages += 1;
        const text = JSON.stringify(bundle([], `/Observation?ct=${pages}`));
        const readableStreamBody = Readable.from([Buffer.from(text)]);
        return { request, status: 200, headers: createHttpHeaders(), readableStreamBody };
      },
    };
    const found = startReaders({ httpClient }).fhir().search('Observation');
    expect(await failureOf(idsOf(found))).toMatchObject({ code: 'fhir-endless' });
    expect(pages).toBe(10_000);
  });
});
