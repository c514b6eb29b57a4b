import type { Socket } from 'node:net';
import { NonRetriableError, ReadError, RetryAfterError } from '../../src/workflow.js';
import { failureOf, json, PATIENT, startReaders, startService, status } from './stand-in.js';

const found = json(PATIENT);
const reset = (request: { socket: Socket }) => request.socket.resetAndDestroy();
const never = () => {};
const dayAt = (time: string) => `Thu, 01 Jan 2026 ${time} GMT`;

describe('when a service answers', () => {
  it.each([404, 410])('given %i, then the resource is undefined', async (answer) => {
    await using service = await startService(status(answer, {}, 'gone'));
    const { fhir, counters } = startReaders(service);

    expect(await fhir().current()).toBeUndefined();

    expect(service.urls()).toEqual(['/Patient/p1']);
    expect(counters).toMatchObject({ fhirReadsGone: 1, fhirReadsDone: 0, fhirReadsFailed: 0 });
  });

  it.each([
    { answer: 401, code: 'fhir-unauthorized', says: "role 'FHIR Data Reader'" },
    { answer: 403, code: 'fhir-forbidden', says: "role 'FHIR Data Reader'" },
    { answer: 400, code: 'fhir-http-400', says: 'refused the request (400)' },
    { answer: 500, code: 'fhir-server-error', says: 'failed (500)' },
    { answer: 501, code: 'fhir-server-error', says: 'failed (501)' },
  ])(
    'given $answer, then the read fails with $code after one request, and the job may try again',
    async ({ answer, code, says }) => {
      await using service = await startService(status(answer));
      const { fhir, counters } = startReaders(service);

      const error = await failureOf(fhir().current());

      expect(error).toBeInstanceOf(ReadError);
      expect(error.code).toBe(code);
      expect(error.message).toContain(says);
      expect(service.asked).toHaveLength(1);
      expect(counters).toMatchObject({ fhirReadsFailed: 1, readsTriedAgain: 0 });
    },
  );

  it.each([401, 403])('given %i of the DICOM service, then the error names its role and audience', async (answer) => {
    await using service = await startService(status(answer));
    const { message } = await failureOf(startReaders(service).dicom().instance());
    expect(message).toContain("'DICOM Data Reader'");
    expect(message).toContain('https://dicom.healthcareapis.azure.com');
  });

  it.each([
    { given: 'of this service', location: '/Patient/p2' },
    { given: 'of another', location: 'https://elsewhere.example/Patient/p1' },
  ])('given a redirect to an address $given, then no request follows it', async ({ location }) => {
    await using service = await startService(status(307, { location }), found);
    expect(await failureOf(startReaders(service).fhir().current())).toMatchObject({ code: 'fhir-redirected' });
    expect(service.asked).toHaveLength(1);
  });

  it('given many small answers, then one connection serves them all', async () => {
    await using service = await startService(status(404, {}, 'x'.repeat(1000)), found, status(403, {}, 'no'), found);
    const { fhir } = startReaders(service);
    for (let i = 1; i <= 4; i += 1) await fhir({ version: i }).current().catch(never);
    expect(await service.connections()).toBe(1);
  });
});

describe('when a service asks for a later try', () => {
  it.each([
    { answer: 429, headers: { 'retry-after': '2' }, waits: [2200] },
    { answer: 503, headers: { 'retry-after': '5' }, waits: [5500] },
    { answer: 429, headers: { 'retry-after': '9', 'x-ms-retry-after-ms': '250' }, waits: [275] },
    { answer: 503, headers: { 'retry-after': '0' }, waits: [0] },
    { answer: 503, headers: { date: dayAt('11:00:00'), 'retry-after': dayAt('11:00:03') }, waits: [3300] },
    { answer: 503, headers: { date: 'none', 'retry-after': dayAt('12:00:04') }, waits: [4400] },
    { answer: 503, headers: {}, waits: [550] },
    { answer: 503, headers: { 'retry-after': 'soon' }, waits: [550] },
  ])(
    'given $answer with $headers, then the second request follows after $waits ms',
    async ({ answer, headers, waits }) => {
      await using service = await startService(status(answer, headers as never), found);
      const readers = startReaders(service);

      expect(await readers.fhir().current()).toEqual(PATIENT);

      expect(readers.waits).toEqual(waits);
      expect(readers.counters).toMatchObject({ readsTriedAgain: 1, fhirReadsDone: 1, fhirReadsFailed: 0 });
    },
  );

  it.each([
    { answer: 429, headers: { 'retry-after': '6' }, code: 'fhir-throttled', ms: 6000, asked: 1 },
    { answer: 503, headers: { 'retry-after': '1800' }, code: 'fhir-unavailable', ms: 1_800_000, asked: 1 },
    { answer: 503, headers: { 'retry-after': '99999999' }, code: 'fhir-unavailable', ms: 3_600_000, asked: 1 },
    { answer: 429, headers: { 'retry-after': '1' }, code: 'fhir-throttled', ms: 1000, asked: 3 },
    { answer: 503, headers: {}, code: 'fhir-unavailable', ms: 30_000, asked: 3 },
  ])('given $answer with $headers for ever, then a RetryAfterError follows after $asked requests', async (one) => {
    await using service = await startService(status(one.answer, one.headers as never));
    const { fhir, counters } = startReaders(service);

    const error = await failureOf(fhir().current());

    expect(error).toBeInstanceOf(RetryAfterError);
    expect(error).toMatchObject({ code: one.code, wait: { ms: one.ms } });
    expect(service.asked).toHaveLength(one.asked);
    expect(counters.fhirReadsFailed).toBe(1);
  });

  it('given the handler aborts during a wait, then the read ends without another request', async () => {
    await using service = await startService(status(503, { 'retry-after': '5' }), found);
    const readers = startReaders(service);
    readers.holdWaits();
    const reading = failureOf(readers.fhir().read('Patient', 'p2'));
    while (readers.waits.length === 0) await new Promise((resolve) => setImmediate(resolve));

    readers.abort();

    expect(await reading).toMatchObject({ code: 'fhir-aborted' });
    expect(service.asked).toHaveLength(1);
  });
});

describe('when the connection fails', () => {
  it('given it is reset once, then the second request succeeds', async () => {
    await using service = await startService(reset, found);
    const readers = startReaders(service);
    expect(await readers.fhir().current()).toEqual(PATIENT);
    expect(readers.waits).toEqual([550]);
  });

  it('given it is always reset, then a ReadError follows after three requests', async () => {
    await using service = await startService(reset);
    const readers = startReaders(service);

    expect(await failureOf(readers.fhir().current())).toMatchObject({ name: 'ReadError', code: 'fhir-unreachable' });

    expect(service.asked).toHaveLength(3);
    expect(readers.waits).toEqual([550, 1100]);
  });

  it('given no server at the address, then a ReadError says that the service is unreachable', async () => {
    const { url, [Symbol.asyncDispose]: close } = await startService(found);
    await close();
    const error = await failureOf(startReaders({ url }).fhir().current());
    expect(error).toMatchObject({ code: 'fhir-unreachable' });
    expect(error.cause).toBeUndefined();
    expect(error.message).toContain('(ECONNREFUSED)');
  });

  it.each([
    { given: 'its length', headers: { 'content-length': '100' } },
    { given: 'no length', headers: {} },
  ])('given an answer with $given that breaks off, then another request is sent', async ({ headers }) => {
    await using service = await startService((_request, response) => {
      response.writeHead(200, headers as never);
      response.write('{"resourceType":"Patient"', () => response.socket?.destroy());
    }, found);
    expect(await startReaders(service).fhir().current()).toEqual(PATIENT);
    expect(service.asked).toHaveLength(2);
  });

  it.each<{ given: string; answer: typeof found }>([
    { given: 'no headers', answer: never },
    { given: 'headers, and no body', answer: (_, response) => response.writeHead(200).flushHeaders() },
    { given: 'a refusal that never ends', answer: (_, response) => response.writeHead(500).write('a') },
  ])('given $given in time, then the request ends, and the next one succeeds', async ({ answer }) => {
    await using service = await startService(answer, found);
    const readers = startReaders(service);
    const reading = readers.fhir().current();
    await service.askedTimes(1);
    expect(readers.limits()).toBe(1);

    readers.expire();

    expect(await reading).toEqual(PATIENT);
    expect(readers.limits()).toBe(0);
  });

  it('given no answer to three requests, then a ReadError says so', async () => {
    await using service = await startService(never);
    const readers = startReaders(service);
    const reading = failureOf(readers.fhir().current());
    for (let tries = 1; tries <= 3; tries += 1) {
      await service.askedTimes(tries);
      readers.expire();
    }
    expect(await reading).toMatchObject({ code: 'fhir-timeout' });
  });

  it('given the handler is aborted, then its reads end at once, and so does the connection', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using service = await startService((_request, response) => void response.once('close', resolve));
    const readers = startReaders(service);
    const reading = failureOf(readers.fhir().read('Patient', 'p2'));
    await service.askedTimes(1);

    readers.abort();

    expect(await reading).toMatchObject({ code: 'fhir-aborted' });
    await closed;
    expect(readers.limits()).toBe(0);
    expect(await failureOf(readers.fhir().current())).toMatchObject({ code: 'read-aborted' });
    expect(service.asked).toHaveLength(1);
  });
});

describe('when a body is not as expected', () => {
  it.each([
    { given: 'HTML', body: '<html>', code: 'fhir-not-json' },
    { given: 'nothing', body: '', code: 'fhir-not-json' },
    { given: 'null', body: 'null', code: 'fhir-other-resource' },
    { given: 'a list', body: '[]', code: 'fhir-other-resource' },
    { given: 'another resource', body: '{"resourceType":"Device"}', code: 'fhir-other-resource' },
  ])('given $given, then the read fails with $code', async ({ body, code }) => {
    await using service = await startService(status(200, {}, body));
    expect(await failureOf(startReaders(service).fhir().current())).toMatchObject({ name: 'ReadError', code });
  });

  it.each([
    { given: 'it says so', headers: { 'content-length': String(17 * 1024 * 1024) }, chunks: 1 },
    { given: 'it does not say so', headers: {}, chunks: 18 },
  ])('given more than 16 MiB, and $given, then the error is final', async ({ headers, chunks }) => {
    await using service = await startService((_request, response) => {
      response.writeHead(200, headers as never);
      for (let i = 0; i < chunks; i += 1) response.write(Buffer.alloc(1024 * 1024, 32));
    });

    const error = await failureOf(startReaders(service).fhir().current());

    expect(error).toBeInstanceOf(NonRetriableError);
    expect(error.code).toBe('fhir-too-large');
    expect(service.asked).toHaveLength(1);
  });
});
