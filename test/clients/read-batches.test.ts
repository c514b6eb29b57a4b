import { getEventListeners } from 'node:events';
import { GATHER_MS } from '../../src/clients/read-batches.js';
import { seededRandom } from '../../src/simulator/seeded.js';
import { fhirEvent } from '../../src/testing/index.js';
import { type FhirReader, NonRetriableError, RetryAfterError } from '../../src/workflow.js';
import { batchText, firstBatches, type OneAnswer, patientAt, startBatchService, writeBatch } from './batch-service.js';
import { FHIR_HOST, failureOf, startReaders } from './stand-in.js';

const MB = 1024 * 1024;
const TEN_MINUTES_MS = 600_000;
const ids = (count: number) => Array.from({ length: count }, (_, n) => `p${n}`);
const pathsOf = (wanted: readonly string[]) => wanted.map((id) => `Patient/${id}`);
const found = (id: string) => patientAt(`Patient/${id}`).resource;
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Readers = ReturnType<typeof startReaders>;

function readAll({ fhir }: Readers, wanted: readonly string[]) {
  return Promise.all(wanted.map((resourceId) => fhir({ resourceId }).current()));
}

/** Reads with a signal of its own for each. */
function startReads({ readers }: Readers, wanted: readonly string[]) {
  return wanted.map((id) => {
    const controller = new AbortController();
    const reader = readers.of(fhirEvent({ host: FHIR_HOST, resourceId: id }), controller.signal) as FhirReader;
    const result = reader.current();
    result.catch(() => {});
    return { result, abort: () => controller.abort() };
  });
}

/** Starts a service that answers batches after `answerNow`. */
async function startHeldService() {
  const { promise: canAnswer, resolve: answerNow } = Promise.withResolvers<void>();
  const service = await startBatchService(patientAt, async (response, all) => {
    await canAnswer;
    writeBatch(response, all);
  });
  return { service, answerNow };
}

/** Starts a held service and readers with a batch of `a` and `b` under way. Reads that wait for others wait on. */
async function startWithBatch() {
  const held = await startHeldService();
  const readers = startReaders(held.service);
  readers.holdGathering();
  const first = readAll(readers, ['a', 'b']);
  await held.service.askedTimes(1);
  return { ...held, readers, first };
}

describe('when handlers read at the same time', () => {
  it('given current resources, versions and other resources, then one batch asks for them, with ids in its body only', async () => {
    await using service = await startBatchService(patientAt);
    const readers = startReaders(service);
    const { fhir } = readers;

    const results = await Promise.all([
      fhir({ resourceId: 'a' }).current(),
      fhir({ resourceId: 'b', version: 7 }).version(),
      fhir({ resourceId: 'c' }).read('Organization', 'd'),
    ]);

    expect(service.singles).toEqual([]);
    expect(service.paths()).toEqual([['Patient/a', 'Patient/b/_history/7', 'Organization/d']]);
    expect(results).toMatchObject([
      { id: 'a' },
      { id: 'b', meta: { versionId: '7' } },
      { resourceType: 'Organization' },
    ]);
    expect(service.urls()).toEqual(['/']);
    const [batch] = service.batches;
    expect(JSON.parse(batch?.body ?? '')).toMatchObject({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ request: { method: 'GET', url: 'Patient/a' } }, {}, {}],
    });
    expect(batch?.headers).toMatchObject({
      'content-type': 'application/fhir+json',
      accept: 'application/fhir+json',
      'x-bundle-processing-logic': 'parallel',
    });
    expect(readers.counters).toMatchObject({ fhirReadsDone: 3, fhirReadsFailed: 0 });
  });

  it('given a lone read, then it is a plain GET', async () => {
    await using service = await startBatchService(patientAt);
    expect(await startReaders(service).fhir({ resourceId: 'a' }).current()).toEqual(found('a'));
    expect([service.singles, service.batches]).toEqual([['Patient/a'], []]);
  });

  it('given a service behind a path, then the batch goes to that path', async () => {
    await using service = await startBatchService(patientAt);
    await readAll(startReaders({ url: `${service.url}/fhir` }), ids(2));
    expect(service.urls()).toEqual(['/fhir']);
  });

  it('given 250 reads, then three batches of at most 100 are sent', async () => {
    await using service = await startBatchService(patientAt);
    expect(await readAll(startReaders(service), ids(250))).toEqual(ids(250).map(found));
    expect(service.paths().map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(service.singles).toEqual([]);
  });

  it('given reads while a request is under way, then they wait for each other, and share a batch', async () => {
    const { service, answerNow, readers, first } = await startWithBatch();
    await using _ = service;
    const others = ['c', 'd'].map((id) => readAll(readers, [id]));
    await turn();
    expect([service.batches.length, readers.gathering()]).toEqual([1, [GATHER_MS]]);

    readers.endGathering();
    await service.askedTimes(2);
    answerNow();

    await Promise.all([first, ...others]);
    expect([service.singles, service.paths()]).toEqual([[], [pathsOf(['a', 'b']), pathsOf(['c', 'd'])]]);
  });

  it('given as many reads as a batch takes, then the batch is sent at once', async () => {
    const { service, answerNow, readers, first } = await startWithBatch();
    await using _ = service;

    const others = readAll(readers, ids(100));
    await service.askedTimes(2);
    answerNow();

    expect(await others).toEqual(ids(100).map(found));
    await first;
  });

  it('given the earlier request ends, then the reads that wait are sent at once', async () => {
    const { service, answerNow, readers, first } = await startWithBatch();
    await using _ = service;
    const others = readAll(readers, ['c', 'd']);

    answerNow();

    await Promise.all([first, others]);
    expect(service.paths()).toEqual([pathsOf(['a', 'b']), pathsOf(['c', 'd'])]);
  });

  it('given two services, then each gets its own batch', async () => {
    await using one = await startBatchService(patientAt);
    await using two = await startBatchService(patientAt);
    const fhirHosts = [one, two].map(({ url }, n) => ({ host: `h${n}`, url, audience: 'https://a' }));
    const { fhir } = startReaders({ fhirHosts });
    await Promise.all(ids(4).map((resourceId, n) => fhir({ resourceId, host: `h${n % 2}` }).current()));
    expect([one.paths(), two.paths()]).toEqual([[['Patient/p0', 'Patient/p2']], [['Patient/p1', 'Patient/p3']]]);
  });

  it('given batches are off, then each read is a plain GET', async () => {
    await using service = await startBatchService(patientAt);
    await readAll(startReaders({ ...service, fhirBatchReads: false }), ids(3));
    expect([service.singles, service.batches]).toEqual([pathsOf(ids(3)), []]);
  });

  it.each(['a/../b', 'a%2Fb', '../$export', 'a?_format=xml', 'a b', 'a_b', 'x'.repeat(65)])(
    'given the id %j, then it is in no batch',
    async (id) => {
      await using service = await startBatchService(() => ({ status: 404 }));
      await readAll(startReaders(service), [id, 'b', 'c']);
      expect(service.paths()).toEqual([['Patient/b', 'Patient/c']]);
      expect(service.singles).toHaveLength(1);
    },
  );

  it('given searches and operations, then they are in no batch', async () => {
    const searchset = { status: 200, resource: { resourceType: 'Bundle', type: 'searchset' } };
    await using service = await startBatchService(() => searchset);
    const { fhir } = startReaders(service);
    await Promise.all([fhir().operation('$everything'), fhir().search('Observation')[Symbol.asyncIterator]().next()]);
    expect(service.batches).toEqual([]);
  });

  it('given two handlers read one event, then the batch has one entry, and each handler gets its own object', async () => {
    await using service = await startBatchService(patientAt);
    const readers = startReaders(service);
    const event = fhirEvent({ host: FHIR_HOST, resourceId: 'a' });
    const { signal } = new AbortController();
    const ofEvent = () => (readers.readers.of(event, signal) as FhirReader<'Patient'>).current();

    const [one, two] = await Promise.all([ofEvent(), ofEvent(), readAll(readers, ['b'])]);
    if (one) one.birthDate = 'changed';

    expect(two).toEqual(found('a'));
    expect(await ofEvent()).toEqual(found('a'));
    expect(service.paths()).toEqual([['Patient/a', 'Patient/b']]);
    expect(readers.counters).toMatchObject({ fhirReadsDone: 2, readsShared: 2 });
  });
});

describe('when the entries of a batch have their own answers', () => {
  it('given found, deleted and unknown resources and refusals, then each read has the result of its entry', async () => {
    const statuses: Record<string, number> = { b: 404, c: 410, d: 403, e: 500, f: 400 };
    await using service = await startBatchService((path) => {
      const status = statuses[path.split('/')[1] ?? ''];
      return status === undefined ? patientAt(path) : { status };
    });
    const readers = startReaders(service);

    const reads = startReads(readers, ['a', 'b', 'c', 'd', 'e', 'f']).map(({ result }) => result);

    expect(await Promise.all(reads.slice(0, 3))).toEqual([found('a'), undefined, undefined]);
    expect(await failureOf(reads[3] as Promise<unknown>)).toMatchObject({ name: 'ReadError', code: 'fhir-forbidden' });
    expect(await failureOf(reads[4] as Promise<unknown>)).toMatchObject({ code: 'fhir-server-error' });
    expect(await failureOf(reads[5] as Promise<unknown>)).toMatchObject({ code: 'fhir-http-400' });
    expect(service.asked).toHaveLength(1);
    expect(readers.counters).toMatchObject({ fhirReadsDone: 1, fhirReadsGone: 2, fhirReadsFailed: 3 });
  });

  it('given throttled entries with Retry-After, then only they wait, equally long, and share the next batch', async () => {
    let isThrottled = true;
    await using service = await startBatchService((path) =>
      isThrottled && !path.endsWith('a') ? { status: 429, headers: { 'retry-after': '2' } } : patientAt(path),
    );
    const readers = startReaders({ ...service, random: { ...seededRandom(1) } });
    const [a, b, c] = startReads(readers, ['a', 'b', 'c']).map(({ result }) => result);
    expect(await a).toEqual(found('a'));
    isThrottled = false;

    expect(await Promise.all([b, c])).toEqual([found('b'), found('c')]);

    expect(service.paths()).toEqual([pathsOf(['a', 'b', 'c']), pathsOf(['b', 'c'])]);
    expect(new Set(readers.waits).size).toBe(1);
    expect(readers.waits[0]).toBeGreaterThanOrEqual(2000);
    expect(readers.counters.readsTriedAgain).toBe(2);
  });

  it('given an entry that asks for a long wait, then only its read gets a RetryAfterError', async () => {
    await using service = await startBatchService((path) =>
      path.endsWith('b') ? { status: 503, headers: { 'retry-after': '120' } } : patientAt(path),
    );
    const [a, b] = startReads(startReaders(service), ['a', 'b']).map(({ result }) => result);
    expect(await a).toEqual(found('a'));
    const error = await failureOf(b as Promise<unknown>);
    expect(error).toBeInstanceOf(RetryAfterError);
    expect(error).toMatchObject({ code: 'fhir-unavailable', wait: { ms: 120_000 } });
    expect(service.asked).toHaveLength(1);
  });
});

describe('when a service answers the whole batch', () => {
  it.each([
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 503, headers: {} },
  ])(
    'given $status once, then all reads wait equally long, and come again in one batch',
    async ({ status, headers }) => {
      const refuse = firstBatches((response) => response.writeHead(status, headers as never).end());
      await using service = await startBatchService(patientAt, refuse);
      const readers = startReaders({ ...service, random: { ...seededRandom(1) } });

      expect(await readAll(readers, ids(20))).toEqual(ids(20).map(found));

      expect([service.paths(), service.singles]).toEqual([[pathsOf(ids(20)), pathsOf(ids(20))], []]);
      expect(readers.waits).toHaveLength(20);
      expect(new Set(readers.waits).size).toBe(1);
    },
  );

  it('given 429 with a long wait, then each read gets RetryAfterError after one request', async () => {
    await using service = await startBatchService(patientAt, (response) =>
      response.writeHead(429, { 'retry-after': '60' }).end(),
    );
    const reads = startReads(startReaders(service), ids(5));
    for (const { result } of reads) {
      expect(await failureOf(result)).toMatchObject({ code: 'fhir-throttled', wait: { ms: 60_000 } });
    }
    expect(service.asked).toHaveLength(1);
  });

  it('given 401, then each read fails after one request', async () => {
    await using service = await startBatchService(patientAt, (response) => response.writeHead(401).end());
    for (const { result } of startReads(startReaders(service), ids(5))) {
      expect(await failureOf(result)).toMatchObject({ code: 'fhir-unauthorized' });
    }
    expect(service.asked).toHaveLength(1);
  });

  it.each([400, 403, 404, 405, 415, 501])(
    'given %i, then reads are sent one by one for 10 minutes, and this is logged once',
    async (status) => {
      await using service = await startBatchService(patientAt, (response) => response.writeHead(status).end('no'));
      const readers = startReaders(service);

      for (let round = 1; round <= 2; round += 1) expect(await readAll(readers, ids(2))).toEqual(ids(2).map(found));
      expect([service.batches.length, service.singles.length]).toEqual([1, 4]);
      readers.advance(TEN_MINUTES_MS - 1);
      await readAll(readers, ids(2));
      expect(service.batches).toHaveLength(1);
      readers.advance(1);
      await readAll(readers, ids(2));

      expect([service.batches.length, service.singles.length]).toEqual([2, 8]);
      expect(readers.lines).toHaveLength(1);
      expect(readers.lines[0]).toMatch(/^warn .*fhir-batches-refused/);
      expect(readers.lines[0]).toContain(`fhir-http-${status}`);
    },
  );

  it('given a refusal after a batch that was answered, then the refusal is logged again', async () => {
    let refuses = true;
    await using service = await startBatchService(patientAt, (response, all) => {
      if (refuses) response.writeHead(405).end();
      else writeBatch(response, all);
    });
    const readers = startReaders(service);
    for (refuses of [true, false, true]) {
      await readAll(readers, ids(2));
      readers.advance(TEN_MINUTES_MS);
    }
    expect([service.batches.length, readers.lines.length]).toEqual([3, 2]);
  });

  it.each([500, 502, 302, 413])(
    'given %i, then these reads are sent one by one, and the next in a batch',
    async (status) => {
      const fail = firstBatches((response) => response.writeHead(status).end());
      await using service = await startBatchService(patientAt, fail);
      const readers = startReaders(service);

      for (let round = 1; round <= 2; round += 1) expect(await readAll(readers, ids(3))).toEqual(ids(3).map(found));

      expect([service.batches.length, service.singles.length]).toEqual([2, 3]);
      expect(readers.lines).toEqual([]);
    },
  );
});

describe('when the answer to a batch is of no use', () => {
  const broken: { given: string; body: (answers: readonly OneAnswer[]) => string }[] = [
    { given: 'nothing', body: () => '' },
    { given: 'HTML', body: () => '<html>' },
    { given: 'a resource', body: () => JSON.stringify(found('p0')) },
    { given: 'an entry less', body: (all) => batchText(all.slice(1)) },
    { given: 'an entry more', body: (all) => batchText([...all, { status: 405 }]) },
    { given: 'another order', body: (all) => batchText(all.toReversed()) },
    { given: 'half of it', body: (all) => batchText(all).slice(0, 100) },
  ];
  it.each(broken)('given $given, then reads are sent one by one for 10 minutes', async ({ body }) => {
    await using service = await startBatchService(patientAt, (response, all) => response.writeHead(200).end(body(all)));
    const readers = startReaders(service);

    for (let round = 1; round <= 2; round += 1) expect(await readAll(readers, ids(3))).toEqual(ids(3).map(found));

    expect([service.batches.length, service.singles.length]).toEqual([1, 6]);
    expect(readers.lines[0]).toContain('fhir-no-batch-response');
  });

  it('given the connection is cut before or in the answer, then these reads are sent one by one, and the next in a batch', async () => {
    const cut = firstBatches(
      (response) => response.socket?.resetAndDestroy(),
      (response, all) => response.writeHead(200).write(batchText(all).slice(0, 50), () => response.destroy()),
    );
    await using service = await startBatchService(patientAt, cut);
    const readers = startReaders(service);

    for (let round = 1; round <= 3; round += 1) expect(await readAll(readers, ids(3))).toEqual(ids(3).map(found));

    expect([service.batches.length, service.singles.length]).toEqual([3, 6]);
    expect(readers.waits).toEqual([]);
  });

  it('given no answer in time, then these reads are sent one by one, and the next batches are half as large', async () => {
    await using service = await startBatchService(
      patientAt,
      firstBatches(() => {}),
    );
    const readers = startReaders(service);
    const reading = readAll(readers, ids(8));
    await service.askedTimes(1);
    expect(readers.limits()).toBe(1);

    readers.expire();

    expect(await reading).toEqual(ids(8).map(found));
    expect(readers.limits()).toBe(0);
    expect(service.singles).toHaveLength(8);
    await readAll(readers, ids(8));
    expect(service.paths().map(({ length }) => length)).toEqual([8, 4, 4]);
    readers.advance(TEN_MINUTES_MS);
    await readAll(readers, ids(8));
    expect(service.paths().map(({ length }) => length)).toEqual([8, 4, 4, 8]);
  });

  it('given no server at the address, then each read fails as a single read does', async () => {
    const service = await startBatchService(patientAt);
    await service[Symbol.asyncDispose]();
    for (const { result } of startReads(startReaders(service), ids(3))) {
      expect(await failureOf(result)).toMatchObject({ code: 'fhir-unreachable' });
    }
  });

  it('given no token, then each read fails, and nothing is sent', async () => {
    let asked = 0;
    const getToken = () => {
      asked += 1;
      return Promise.reject(new Error('secret detail'));
    };
    const readers = startReaders({ credential: { getToken } });
    for (const { result } of startReads(readers, ids(5))) {
      expect(await failureOf(result)).toMatchObject({ code: 'fhir-no-token' });
    }
    expect(asked).toBe(1);
  });
});

describe('when the answer to a batch exceeds the memory for it', () => {
  const large = (path: string, bytes: number): OneAnswer => {
    const { resource } = patientAt(path);
    return { status: 200, resource: { ...resource, text: 'x'.repeat(bytes) } };
  };

  it('given resources that fit in halves, then two halves are requested', async () => {
    await using service = await startBatchService((path) => large(path, 3 * MB));
    const results = await readAll(startReaders(service), ids(8));
    expect(results.map((one) => one?.id)).toEqual(ids(8));
    expect(service.paths().map(({ length }) => length)).toEqual([8, 4, 4]);
    expect(service.singles).toEqual([]);
  });

  it('given one resource that is too large, then its read alone fails for good, and batches stay', async () => {
    await using service = await startBatchService((path) =>
      path.endsWith('p3') ? large(path, 17 * MB) : patientAt(path),
    );
    const readers = startReaders(service);
    const reads = startReads(readers, ids(40)).map(({ result }) => result);

    const error = await failureOf(reads[3] as Promise<unknown>);

    expect(error).toBeInstanceOf(NonRetriableError);
    expect(error.code).toBe('fhir-too-large');
    const others = await Promise.all(reads.filter((_, n) => n !== 3));
    expect(others).toEqual(
      ids(40)
        .filter((id) => id !== 'p3')
        .map(found),
    );
    expect(service.singles.length).toBeLessThanOrEqual(2);
    const sent = service.batches.length;
    await readAll(readers, ids(60).slice(40));
    expect(
      service
        .paths()
        .slice(sent)
        .map(({ length }) => length),
    ).toEqual([10, 10]);
  });
});

describe('when callers abort', () => {
  it('given one caller aborts during a batch, then its read ends at once, and the others get their resources', async () => {
    const { service, answerNow } = await startHeldService();
    await using _ = service;
    const [a, b, c] = startReads(startReaders(service), ['a', 'b', 'c']);
    await service.askedTimes(1);

    b?.abort();

    expect(await failureOf(b?.result as Promise<unknown>)).toMatchObject({ code: 'read-aborted' });
    answerNow();
    expect(await Promise.all([a?.result, c?.result])).toEqual([found('a'), found('c')]);
    expect(service.asked).toHaveLength(1);
  });

  it('given the caller of a read that is not shared aborts, then its read ends at once', async () => {
    const { service, answerNow } = await startHeldService();
    await using _ = service;
    const readers = startReaders(service);
    const controller = new AbortController();
    const event = fhirEvent({ host: FHIR_HOST });
    const aborts = (readers.readers.of(event, controller.signal) as FhirReader).read('Patient', 'a');
    const stays = readAll(readers, ['b']);
    await service.askedTimes(1);

    controller.abort();

    expect(await failureOf(aborts)).toMatchObject({ code: 'fhir-aborted' });
    answerNow();
    expect(await stays).toEqual([found('b')]);
    expect(readers.counters).toMatchObject({ fhirReadsDone: 1, fhirReadsFailed: 0 });
  });

  it('given a handler that continues after its reads, then no listener of a read is left on its signal', async () => {
    await using service = await startBatchService(patientAt);
    const { signal } = new AbortController();
    const reader = startReaders(service).readers.of(fhirEvent({ host: FHIR_HOST }), signal) as FhirReader;
    await Promise.all(ids(3).map((id) => reader.read('Patient', id)));
    expect(service.batches).toHaveLength(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('given all callers abort during a batch, then its request ends, and no other is sent', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using service = await startBatchService(patientAt, (response) => void response.once('close', resolve));
    const readers = startReaders(service);
    const reads = startReads(readers, ['a', 'b', 'c']);
    await service.askedTimes(1);

    for (const { abort } of reads) abort();

    await closed;
    for (const { result } of reads) expect(await failureOf(result)).toMatchObject({ code: 'read-aborted' });
    expect([service.asked.length, readers.limits(), service.singles]).toEqual([1, 0, []]);
  });

  it('given some callers abort before the batch is sent, then the batch has only the other reads', async () => {
    await using service = await startBatchService(patientAt);
    const readers = startReaders(service);
    const reads = startReads(readers, ['a', 'b', 'c', 'd', 'e']);
    reads[0]?.abort();
    reads[3]?.abort();
    expect(await Promise.all([1, 2, 4].map((n) => reads[n]?.result))).toEqual(['b', 'c', 'e'].map(found));
    expect(service.paths()).toEqual([pathsOf(['b', 'c', 'e'])]);
    await failureOf(reads[0]?.result as Promise<unknown>);
  });

  it('given all callers but one abort before the batch is sent, then a plain GET is sent; given all, then nothing is sent', async () => {
    await using service = await startBatchService(patientAt);
    const readers = startReaders(service);
    const reads = startReads(readers, ['a', 'b']);
    reads[0]?.abort();
    expect(await reads[1]?.result).toEqual(found('b'));
    for (const { abort } of startReads(readers, ['c', 'd'])) abort();
    await turn();
    await turn();
    expect([service.singles, service.batches]).toEqual([['Patient/b'], []]);
  });

  it('given one caller aborts while single reads follow a failed batch, then only its read ends', async () => {
    const { promise: canAnswer, resolve: answerNow } = Promise.withResolvers<void>();
    await using service = await startBatchService(patientAt, async (response) => {
      await canAnswer;
      response.writeHead(500).end();
    });
    const [a, b] = startReads(startReaders(service), ['a', 'b']);
    await service.askedTimes(1);
    a?.abort();
    answerNow();
    expect(await b?.result).toEqual(found('b'));
    expect(service.singles).toEqual(['Patient/b']);
  });
});

it('given random resources, answers, faults and aborts, then batches and single reads have the same results', async () => {
  const random = seededRandom(1705);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.number() * list.length)] as T;
  for (let round = 0; round < 60; round += 1) {
    const wanted = Array.from({ length: 1 + Math.floor(random.number() * 12) }, (_, n) => `p${n}`);
    const answers = new Map(
      pathsOf(wanted).map((path) => {
        const status = pick([200, 200, 200, 404, 410, 400, 403, 500, 503, 429]);
        const headers = status === 429 || status === 503 ? { 'retry-after': '60' } : {};
        return [path, status === 200 ? patientAt(path) : { status, headers }];
      }),
    );
    const fault = pick<'order' | 'cut' | 500 | 405 | undefined>([
      undefined,
      undefined,
      undefined,
      'order',
      'cut',
      500,
      405,
    ]);
    await using service = await startBatchService(
      (path) => answers.get(path) ?? { status: 404 },
      (response, all) => {
        if (fault === undefined) writeBatch(response, all);
        else if (fault === 'order') response.writeHead(200).end(batchText(all.toReversed().slice(1)));
        else if (fault === 'cut') response.destroy();
        else response.writeHead(fault).end();
      },
    );
    const aborted = new Set(wanted.filter(() => random.number() < 0.1));

    const [inBatches, oneByOne] = await Promise.all(
      [true, false].map((fhirBatchReads) => resultsOf(startReaders({ ...service, fhirBatchReads }), wanted, aborted)),
    );

    expect(inBatches).toEqual(oneByOne);
  }
});

async function resultsOf(
  readers: Readers,
  wanted: readonly string[],
  aborted: ReadonlySet<string>,
): Promise<unknown[]> {
  const reads = startReads(readers, wanted);
  await turn();
  for (const [n, { abort }] of reads.entries()) if (aborted.has(wanted[n] ?? '')) abort();
  return Promise.all(
    reads.map(({ result }, n) =>
      result.catch(({ name, code, message, wait }) =>
        aborted.has(wanted[n] ?? '') ? { code } : { name, code, message, wait },
      ),
    ),
  );
}
