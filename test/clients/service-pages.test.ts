import { DICOM_AUDIENCE, DICOM_HOST, FHIR_HOST, json, startReaders, startService, status } from './stand-in.js';

const { signal } = new AbortController();

describe('when the pages of a service are read', () => {
  it.each([
    { service: 'fhir', host: FHIR_HOST, accept: 'application/fhir+json' },
    { service: 'dicom', host: DICOM_HOST, accept: 'application/json' },
  ] as const)('given $service, then the JSON at the path is returned', async ({ service: kind, host, accept }) => {
    await using service = await startService(json({ some: 'page' }));
    const pages = startReaders(service).readers.pagesOf({ service: kind, host }, signal);

    expect(await pages.get('/page?a=b')).toEqual({ some: 'page' });
    expect(service.asked).toMatchObject([{ url: '/page?a=b', accept }]);
  });

  it('given a path that the service does not have, then the read throws: a page is never undefined', async () => {
    await using service = await startService(status(404));
    const pages = startReaders(service).readers.pagesOf({ service: 'fhir', host: FHIR_HOST }, signal);

    await expect(pages.get('/_history')).rejects.toMatchObject({ name: 'ReadError', code: 'fhir-not-found' });
  });

  it('given a service in Azure, then the request has its token', async () => {
    const readers = startReaders({ httpClient: { sendRequest: () => Promise.reject(new Error('no network')) } });
    const pages = readers.readers.pagesOf({ service: 'dicom', host: DICOM_HOST }, signal);

    await expect(pages.get('/v2/changefeed')).rejects.toMatchObject({ code: 'dicom-unreachable' });
    expect(readers.tokens).toEqual([`${DICOM_AUDIENCE}/.default`]);
  });

  it('given a simulated service, then it answers without a token', async () => {
    const readers = startReaders();
    readers.readers.answerInProcess(() => ({ path }) => ({ status: 200, body: JSON.stringify({ path }) }));
    const pages = readers.readers.pagesOf({ service: 'fhir', host: 'simulated' }, signal);

    expect(await pages.get('/_history?_count=1')).toEqual({ path: '_history' });
    expect(readers.tokens).toEqual([]);
  });

  it.each([
    { link: `https://${FHIR_HOST}/_history?ct=1`, then: '/_history?ct=1' },
    { link: '/_history?ct=1', then: '/_history?ct=1' },
  ])('given the link $link, then its path is returned', ({ link, then }) => {
    const pages = startReaders().readers.pagesOf({ service: 'fhir', host: FHIR_HOST }, signal);

    expect(pages.nextPathOf(link)).toBe(then);
  });

  it.each([
    'https://evil.example/_history',
    `http://${FHIR_HOST}/_history`,
    `https://user@${FHIR_HOST}/_history`,
    'http://[',
  ])('given the link %s, then an error without the link', (link) => {
    const pages = startReaders().readers.pagesOf({ service: 'fhir', host: FHIR_HOST }, signal);

    expect(() => pages.nextPathOf(link)).toThrow(
      expect.objectContaining({ code: 'fhir-foreign-link', message: expect.not.stringContaining(link) }),
    );
  });
});
