import { Readable } from 'node:stream';
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import type { AccessToken, TokenCredential } from '@azure/identity';
import { fhirEvent } from '../../src/testing/index.js';
import { type FhirReader, NonRetriableError } from '../../src/workflow.js';
import { DICOM_HOST, FHIR_HOST, failureOf, json, PATIENT, startReaders, startService } from './stand-in.js';

/** Answers in the place of a network, and notes what would have been sent. */
function createNetwork(answer: unknown = PATIENT) {
  const sent: { url: string; authorization: string | undefined }[] = [];
  const httpClient: HttpClient = {
    async sendRequest(request) {
      sent.push({ url: request.url, authorization: request.headers.get('authorization') });
      const readableStreamBody = Readable.from([Buffer.from(JSON.stringify(answer))]);
      return { request, status: 200, headers: createHttpHeaders(), readableStreamBody };
    },
  };
  return { httpClient, sent };
}

describe('when an event names a host', () => {
  it.each([
    'good.example.com',
    `${FHIR_HOST}.evil.com`,
    `evil.com/${FHIR_HOST}`,
    `${FHIR_HOST}@evil.com`,
    `${FHIR_HOST}:443`,
    `${FHIR_HOST}:8443`,
    `${FHIR_HOST}.`,
    ` ${FHIR_HOST}`,
    `${FHIR_HOST}/`,
    `${FHIR_HOST}#`,
    `x${FHIR_HOST}`,
    FHIR_HOST.slice(2),
    `https://${FHIR_HOST}`,
    FHIR_HOST.replace('.', '\u3002'),
    DICOM_HOST,
    '__proto__',
  ])('given %j, which is not listed, then no token is asked for, nothing is sent, and it is for good', async (host) => {
    const { httpClient, sent } = createNetwork();
    const { fhir, tokens } = startReaders({ httpClient });
    const resource = fhir({ host });

    for (const read of [
      () => resource.current(),
      () => resource.version(),
      () => resource.read('Patient', 'p2'),
      () => resource.operation('$everything'),
      async () => resource.search('Patient')[Symbol.asyncIterator]().next(),
    ]) {
      const error = await failureOf(read());
      expect(error).toBeInstanceOf(NonRetriableError);
      expect(error.code).toBe('host-not-listed');
      expect(error.message).toContain('FHIR_HOSTS');
      expect(error.message).not.toContain(host);
    }
    expect({ tokens, sent }).toEqual({ tokens: [], sent: [] });
  });

  it.each([FHIR_HOST, `${DICOM_HOST}.evil.com`])(
    'given %j for DICOM, then no token is requested, and no request is sent',
    async (host) => {
      const { httpClient, sent } = createNetwork([]);
      const { dicom, tokens } = startReaders({ httpClient });
      const resource = dicom({ host });

      const reads = [
        resource.instance(),
        resource.series(),
        resource.study(),
        resource.frames([1]),
        resource.rendered(),
      ];
      for (const read of reads) {
        const error = await failureOf(read);
        expect(error).toBeInstanceOf(NonRetriableError);
        expect(error).toMatchObject({ code: 'host-not-listed', message: expect.stringContaining('DICOM_HOSTS') });
      }
      expect({ tokens, sent }).toEqual({ tokens: [], sent: [] });
    },
  );

  it('given another case than in the list, then it is the same host', async () => {
    const { httpClient, sent } = createNetwork();
    await startReaders({ httpClient }).fhir({ host: FHIR_HOST.toUpperCase() }).current();
    expect(sent.map(({ url }) => url)).toEqual([`https://${FHIR_HOST}/Patient/p1`]);
  });
});

describe('when a service is sent a token', () => {
  it('given reads of two services, then each service gets the token for its audience, which is requested once', async () => {
    const { httpClient, sent } = createNetwork();
    const { fhir, dicom, tokens } = startReaders({ httpClient, fhirBatchReads: false });

    await fhir({ version: 1 }).current();
    await fhir({ version: 2 }).current();
    await dicom()
      .study()
      .catch(() => {}); // it is no list
    await Promise.all([fhir().read('Patient', 'p2'), fhir().read('Patient', 'p3')]);

    expect(tokens).toEqual([`https://${FHIR_HOST}/.default`, 'https://dicom.healthcareapis.azure.com/.default']);
    const numbers = sent.map(({ authorization }) => authorization?.replace('Bearer token-', ''));
    expect(numbers).toEqual(['1', '1', '2', '1', '1']);
  });

  it('given two services with one audience, then they share a token', async () => {
    const { httpClient, sent } = createNetwork();
    const hosts = ['one.example', 'two.example'];
    const fhirHosts = hosts.map((host) => ({ host, url: `https://${host}`, audience: 'https://a' }));
    const { fhir, tokens } = startReaders({ httpClient, fhirHosts });
    for (const host of hosts) await fhir({ host }).current();
    expect(tokens).toHaveLength(1);
    expect(sent).toEqual(hosts.map((host) => ({ url: `https://${host}/Patient/p1`, authorization: 'Bearer token-1' })));
  });

  it('given a test service on this machine, then it gets no token', async () => {
    await using service = await startService(json(PATIENT));
    const { fhir, tokens } = startReaders(service);
    await fhir().current();
    expect(service.asked[0]?.authorization).toBeUndefined();
    expect(tokens).toEqual([]);
  });

  it.each(['http://10.1.2.3', 'http://localhost.evil.com', 'ftp://127.0.0.1'])(
    'given %s, then no readers are made',
    (url) => {
      expect(() => startReaders({ url })).toThrow('must begin with https');
    },
  );

  it('given two reads wait for a token and one aborts, then the other gets the token, after one request', async () => {
    const { httpClient } = createNetwork();
    let asked = 0;
    let give = (_token: AccessToken) => {};
    const credential: TokenCredential = {
      getToken: (_scopes, options) => {
        asked += 1;
        return new Promise((resolve, reject) => {
          give = resolve;
          options?.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')));
        });
      },
    };
    const { readers } = startReaders({ httpClient, credential, fhirBatchReads: false });
    const leaving = new AbortController();
    const read = (signal: AbortSignal) =>
      (readers.of(fhirEvent({ host: FHIR_HOST }), signal) as FhirReader).read('Patient', 'p2');
    const [one, two] = [failureOf(read(leaving.signal)), read(new AbortController().signal)];

    leaving.abort();
    expect(await one).toMatchObject({ code: 'fhir-aborted' });
    give({ token: 'token', expiresOnTimestamp: 4_102_444_800_000 });

    expect(await two).toEqual(PATIENT);
    expect(asked).toBe(1);
  });

  it('given no token, then no request is sent, and the error has no detail', async () => {
    const { httpClient, sent } = createNetwork();
    const credential = { getToken: () => Promise.reject(new Error('secret detail')) };

    const error = await failureOf(startReaders({ httpClient, credential }).fhir().current());

    expect(error).toMatchObject({ name: 'ReadError', code: 'fhir-no-token' });
    expect(String(error.stack)).not.toContain('secret');
    expect(sent).toEqual([]);
  });
});
