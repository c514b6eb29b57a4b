import { InvalidEventError } from '../../src/events/invalid-event-error.js';
import { LeaseLostError } from '../../src/handler/workflow-table.js';
import { createTestKit, dicomEvent, fhirEvent } from '../../src/testing/index.js';
import {
  type Context,
  defineWorkflow,
  fhir,
  type HealthEvent,
  hours,
  NonRetriableError,
  RetryAfterError,
  type Row,
  seconds,
} from '../../src/workflow.js';

import { addressOfRaw, createAccount, startApp } from '../pipeline/memory-app.js';
import { rawOfFhir } from './raw-events.js';

const EVENT = fhirEvent();
const BASE = {
  name: 'note',
  on: fhir('*'),
  codes: ['counted', 'n', 'no-such-lab'] as const,
  retry: { tries: 3, from: seconds(10), to: seconds(1000) },
};

function throwing(error: unknown, ordering: 'any' | 'latest' = 'any') {
  const handle = () => {
    throw error;
  };
  return defineWorkflow({ ...BASE, ordering, handle });
}

it('given a row that was removed under a fence, then `rows` does not return it', async () => {
  const kit = createTestKit();
  const keep = (wanted: Row | 'remove') =>
    defineWorkflow({
      name: 'keep',
      on: fhir('*'),
      ordering: 'latest',
      handle: (_event, { tables }) => tables('states').change('p', 'k', () => wanted),
    });
  await kit.run(keep({ on: true }), fhirEvent());

  await kit.run(keep('remove'), fhirEvent({ version: 2 }));

  expect(kit.rows('states')).toEqual([]);
});

describe('when a handler is tried', () => {
  it('given a handler that ends well, then the job is completed, and the handler has seen its context', async () => {
    const seen: Context[] = [];
    const kit = createTestKit();
    const note = defineWorkflow({ ...BASE, handle: (_event, context) => void seen.push(context) });

    expect(await kit.run(note, EVENT, { attempt: 2 })).toEqual({ kind: 'completed' });

    expect(seen).toMatchObject([{ attempt: 2, fence: undefined }]);
    expect(seen[0]?.idempotencyKey).toMatch(/^20260101\.[\w-]{22}\.note\.0$/);
  });

  it('given an event that the workflow does not select, then the event is ignored', async () => {
    const patients = defineWorkflow({ ...BASE, on: fhir('Patient'), handle: () => expect(true).toBe(false) });
    expect(await createTestKit().run(patients, dicomEvent())).toEqual({ kind: 'ignored' });
  });

  it.each([
    { attempt: 1, expected: { kind: 'retry', inMs: 10_000, countsAsTry: true } },
    { attempt: 2, expected: { kind: 'retry', inMs: 1_000_000, countsAsTry: true } },
    { attempt: 3, expected: { kind: 'dead-lettered', reason: 'tries-spent' } },
  ])('given an error at try $attempt, then $expected', async ({ attempt, expected }) => {
    const error = Object.assign(new Error('No answer.'), { code: 'ECONNRESET' });
    const result = await createTestKit().run(throwing(error), EVENT, { attempt });
    expect(result).toEqual({ ...expected, code: 'ECONNRESET', error });
  });

  it('given a NonRetriableError, then the job is dead-lettered', async () => {
    const error = new NonRetriableError('No such lab.', { code: 'no-such-lab' });
    const dead = { kind: 'dead-lettered', reason: 'non-retriable', code: 'no-such-lab', error };
    expect(await createTestKit().run(throwing(error), EVENT)).toEqual(dead);
  });

  it.each([
    { given: 'the code of an error', error: Object.assign(new Error('x'), { code: 'Muellerphi' }) },
    { given: 'the name of an error', error: Object.assign(new Error('x'), { name: 'Muellerphi', code: 'born-1970' }) },
  ])('given the name of a patient in $given, then the code is undeclared-code, as in the app', async ({ error }) => {
    const result = await createTestKit().run(throwing(error), EVENT);

    expect(result).toMatchObject({ kind: 'retry', code: 'undeclared-code' });
  });

  it.each([
    { given: 'a moment', hoursAgo: 0, expected: { kind: 'retry', inMs: 60_000, countsAsTry: false } },
    { given: 'a day', hoursAgo: 24, expected: { kind: 'dead-lettered', reason: 'gave-up' } },
  ])('given a RetryAfterError for $given, then $expected', async ({ hoursAgo, expected }) => {
    const kit = createTestKit();
    const error = new RetryAfterError('Busy.', seconds(60));
    const firstTryAt = new Date(kit.clock.now().getTime() - hours(hoursAgo).ms);
    expect(await kit.run(throwing(error), EVENT, { firstTryAt })).toEqual({ ...expected, code: 'retry-after', error });
  });
});

describe('when a handler takes long', () => {
  it('given the timeout, then the signal aborts, and the job is retried', async () => {
    const kit = createTestKit();
    const slow = defineWorkflow({ ...BASE, timeout: seconds(5), handle: (_event, { signal }) => whenAborted(signal) });

    const result = kit.run(slow, EVENT);
    await kit.pass(seconds(5));

    const error = new Error('aborted');
    expect(await result).toEqual({ kind: 'retry', inMs: 10_000, countsAsTry: true, code: 'timeout', error });
  });

  it('given a handler that ignores its signal for a minute, then the try ends, and the handler writes nothing more', async () => {
    const kit = createTestKit();
    const { promise: later, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: written, resolve: setWritten } = Promise.withResolvers<unknown>();
    const deaf = defineWorkflow({
      ...BASE,
      timeout: seconds(5),
      async handle(_event, { tables }) {
        await later;
        const change = tables('late').change('p', 'k', () => ({ n: 1 }));
        setWritten(change.catch((error) => error));
      },
    });

    const result = kit.run(deaf, EVENT);
    await kit.pass(seconds(5 + 60));

    expect(await result).toMatchObject({ kind: 'retry', code: 'hung' });
    goOn();
    expect(await written).toMatchObject({ code: 'lease-lost' });
    expect(kit.rows('late')).toEqual([]);
  });

  it('given the process ends, then the signal aborts, and the run does not count as a try', async () => {
    const ends = new AbortController();
    const slow = defineWorkflow({ ...BASE, handle: (_event, { signal }) => whenAborted(signal) });

    const kit = createTestKit();
    const result = kit.run(slow, EVENT, { processEnds: ends.signal });
    await kit.pass(seconds(1));
    ends.abort();

    expect(await result).toEqual({ kind: 'deferred', inMs: 0 });
  });

  it('given the process has ended before, then the handler is not called', async () => {
    const late = defineWorkflow({ ...BASE, handle: () => expect(true).toBe(false) });
    const result = await createTestKit().run(late, EVENT, { processEnds: AbortSignal.abort() });
    expect(result).toEqual({ kind: 'deferred', inMs: 0 });
  });

  it('given a lost lease, then the job is retried, and the run does not count as a try', async () => {
    const error = new LeaseLostError('A later holder has written the row.');
    const again = { kind: 'retry', inMs: 10_000, countsAsTry: false, code: 'lease-lost', error };
    expect(await createTestKit().run(throwing(error), EVENT, { attempt: 3 })).toEqual(again);
  });

  it('given a change of a table that fails and is not awaited, then the job is retried', async () => {
    const hasty = defineWorkflow({
      ...BASE,
      handle(_event, { tables }) {
        void tables('hasty').change('p', 'k', () => {
          throw new RangeError('too much');
        });
      },
    });
    expect(await createTestKit().run(hasty, EVENT)).toMatchObject({ kind: 'retry', code: 'RangeError' });
  });
});

describe('when a handler uses tables and log', () => {
  const count = defineWorkflow({
    ...BASE,
    async handle({ id }, { tables, log }) {
      await tables('counts').change('all', 'events', (row) => ({ n: Number(row?.n ?? 0) + 1, last: id }));
      log.info('counted', { n: 1 });
    },
  });

  it('given rows from before the try, then the handler finds them, and `rows` returns its own', async () => {
    const kit = createTestKit();
    await kit.tables('counts').change('all', 'events', () => ({ n: 41, last: 'x' }));

    await kit.run(count, fhirEvent({ id: 'event-1' }));

    expect(kit.rows('counts')).toEqual([{ partition: 'all', key: 'events', row: { n: 42, last: 'event-1' } }]);
    expect(await kit.tables('counts').get('all', 'events')).toEqual({ n: 42, last: 'event-1' });
    expect(kit.logged).toEqual([{ level: 'info', code: 'counted', numbers: { n: 1 } }]);
  });

  it('given two tries at once, then neither write is lost', async () => {
    const kit = createTestKit();

    await Promise.all([kit.run(count, fhirEvent({ id: '1' })), kit.run(count, fhirEvent({ id: '2' }))]);

    expect(kit.rows('counts')).toMatchObject([{ row: { n: 2 } }]);
  });
});

describe('when versions of a resource arrive, with `ordering: latest`', () => {
  const latest = defineWorkflow({
    ...BASE,
    ordering: 'latest',
    handle: ({ resourceId, version }, { tables, fence = 0 }) =>
      tables('newest').change('p', resourceId, (row) => ({ version, by: fence, runs: Number(row?.runs ?? 0) + 1 })),
  });
  const [v1, v2] = [fhirEvent({ version: 1 }), fhirEvent({ version: 2, change: 'updated' })];

  it('given an older version after a newer one, then it is superseded, and its handler does not run', async () => {
    const kit = createTestKit();

    expect(await kit.run(latest, v2)).toEqual({ kind: 'completed' });
    expect(await kit.run(latest, v1)).toEqual({ kind: 'superseded' });

    expect(kit.rows('newest')).toMatchObject([{ row: { version: 2, runs: 1 } }]);
  });

  it('given the same version twice, then its handler runs once', async () => {
    const kit = createTestKit();

    for (let times = 0; times < 2; times += 1) expect(await kit.run(latest, v1)).toEqual({ kind: 'completed' });

    expect(kit.rows('newest')).toMatchObject([{ row: { runs: 1 } }]);
  });

  it('given the process dies after the handler, then the next process runs the job again, under a higher fence', async () => {
    const kit = createTestKit();

    expect(await kit.run(latest, v1, { processDies: true })).toEqual({ kind: 'unknown' });
    expect(kit.rows('newest')).toMatchObject([{ row: { by: 1, runs: 1 } }]);
    expect(await kit.run(latest, v1)).toEqual({ kind: 'completed' });

    expect(kit.rows('newest')).toMatchObject([{ row: { by: 2, runs: 2 } }]);
  });

  it('given the newest version has failed, then an older version is still superseded', async () => {
    const kit = createTestKit();

    const failed = await kit.run(throwing(new Error('down'), 'latest'), v2);

    expect(failed).toMatchObject({ kind: 'retry', countsAsTry: true });

    expect(await kit.run(latest, v1)).toEqual({ kind: 'superseded' });
    expect(await kit.run(latest, v2)).toEqual({ kind: 'completed' });
  });

  it('given two versions at once, then their handlers run one after the other', async () => {
    const kit = createTestKit();

    const results = await Promise.all([kit.run(latest, v1), kit.run(latest, v2)]);

    expect(results).toEqual([{ kind: 'completed' }, { kind: 'completed' }]);
    expect(kit.rows('newest')).toMatchObject([{ row: { version: 2, by: 2 } }]);
  });

  it('given any order, then the outcome of each event is that of the app', async () => {
    const kit = createTestKit();
    const account = createAccount();
    const app = startApp(account, { workflows: [latest] });
    const story = [v2, v1, fhirEvent({ version: 3, change: 'deleted' }), fhirEvent({ version: 4, change: 'updated' })];

    for (const event of story) {
      const { kind } = await kit.run(latest, event);
      await app.pipeline.deliver([rawOfFhir(event)]);
      const record = account.record(addressOfRaw(rawOfFhir(event), latest));
      expect(kind).toBe(record?.result);
    }
  });
});

describe('when a test needs an event', () => {
  it('given no fields, then the event is the creation of a Patient, or of an image', () => {
    const created = { change: 'created', version: 1 };
    expect(fhirEvent()).toMatchObject({ service: 'fhir', ...created, resourceType: 'Patient' });
    expect(dicomEvent()).toMatchObject({ service: 'dicom', ...created, partition: 'Microsoft.Default' });
  });

  it('given fields, then the event has them, and so has its type', () => {
    const fields = { id: 'e', source: '/w', time: '2026-05-05T05:05:05.000Z', version: 5, host: 'h' };
    const fhirFields = { ...fields, resourceId: 'r', resourceType: 'Observation', change: 'deleted' } as const;
    const uids = { studyUid: '1', seriesUid: '2', instanceUid: '3' };
    const dicomFields = { ...fields, ...uids, partition: 'p', change: 'updated' } as const;

    const [observation, image] = [fhirEvent(fhirFields), dicomEvent(dicomFields)];

    expect(observation).toMatchObject(fhirFields);
    expect(image).toMatchObject(dicomFields);
    observation.resourceType satisfies 'Observation';
    image.change satisfies 'updated';
  });

  it.each<{ given: string; one: HealthEvent; other: HealthEvent; isSame: boolean }>([
    { given: 'the same fields', one: fhirEvent(), other: fhirEvent(), isSame: true },
    { given: 'another version', one: fhirEvent(), other: fhirEvent({ version: 2 }), isSame: false },
    { given: 'another change', one: dicomEvent(), other: dicomEvent({ change: 'deleted' }), isSame: false },
  ])('given $given, then one event: $isSame', async ({ one, other, isSame }) => {
    expect(one.id === other.id).toBe(isSame);
  });

  it('given later versions, then their times are later', () => {
    expect(fhirEvent({ version: 2 }).time).toBe('2026-01-01T12:02:00.000Z');
    expect(fhirEvent({ version: 3 }).time).toBe('2026-01-01T12:03:00.000Z');
  });

  it('given fields that the app would not accept, then the builder throws', () => {
    expect(() => fhirEvent({ version: -1 })).toThrow(InvalidEventError);
    expect(() => dicomEvent({ time: 'noon' })).toThrow(InvalidEventError);
  });
});

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(new Error('aborted'));
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail);
  });
}
