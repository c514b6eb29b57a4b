import { groupDeadLetters } from '../../src/dead-letters/group.js';
import { type After, deadLettersOf, NONE, scanDeadLetters } from '../../src/dead-letters/list.js';
import type { BlobPage, BlobStore } from '../../src/storage/blob-store.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { allOf, openApp } from './open-app.js';

const undeliveredOf = (...events: object[]) =>
  JSON.stringify(
    events.map((event) => ({ ...event, deadLetterReason: 'TimeToLiveExceeded', lastDeliveryOutcome: 'Busy' })),
  );

/**
 * Two dead letters of one event, an invalid one, and a blob of Event Grid with two events, a minute after each other.
 */
async function openFullApp() {
  const opened = openApp();
  await opened.die();
  opened.clock.advance(60_000);
  await opened.deliver({ id: 'none' });
  opened.clock.advance(60_000);
  const other = { ...rawFhirEvent({ id: 'event-2' }), eventType: 'Microsoft.HealthcareApis.FhirResourceDeleted' };
  await opened.app.stores.undelivered.create(
    'A/2026/1/1/12/x.json',
    undeliveredOf(rawFhirEvent({ id: 'event-3' }), other),
  );
  return opened;
}

describe('when dead letters are listed', () => {
  it('given no dead letter, then the list is empty', async () => {
    expect(await openApp().letters()).toEqual([]);
  });

  it('given dead letters of the app and of Event Grid, then each is listed once', async () => {
    const { letters } = await openFullApp();

    expect((await letters()).map(({ stage, reason, workflow, events }) => [stage, reason, workflow, events])).toEqual([
      ['invalid', 'invalid', '', 1],
      expect.arrayContaining(['failed', 'non-retriable', 1]),
      expect.arrayContaining(['failed', 'non-retriable', 1]),
      ['undelivered', 'TimeToLiveExceeded', '', 2],
    ]);
  });

  it('given a blob of Event Grid, then its type and error are those of all its events', async () => {
    const { letters } = await openFullApp();

    expect(await letters({ stage: 'undelivered' })).toMatchObject([
      {
        error: 'Busy',
        type: 'Microsoft.HealthcareApis.FhirResourceCreated Microsoft.HealthcareApis.FhirResourceDeleted',
        resourceType: 'Patient',
        eventId: '',
        at: '2026-01-01T12:02:00.000Z',
      },
    ]);
  });

  const created = 'Microsoft.HealthcareApis.FhirResourceCreated';
  const deleted = 'Microsoft.HealthcareApis.FhirResourceDeleted';
  const at = (time: string) => new Date(`2026-01-01T${time}Z`);
  it.each([
    { filter: { stage: 'failed' } as const, stages: ['failed', 'failed'] },
    { filter: { workflow: 'one' }, stages: ['failed'] },
    { filter: { workflow: 'three' }, stages: [] },
    { filter: { reason: 'invalid' }, stages: ['invalid'] },
    { filter: { reason: 'TimeToLiveExceeded' }, stages: ['undelivered'] },
    { filter: { error: 'non-retriable', workflow: 'two' }, stages: ['failed'] },
    { filter: { error: 'Busy' }, stages: ['undelivered'] },
    { filter: { type: created }, stages: ['failed', 'failed', 'undelivered'] },
    { filter: { type: deleted }, stages: ['undelivered'] },
    { filter: { type: `${created} ${deleted}` }, stages: ['undelivered'] },
    { filter: { resourceType: 'Patient' }, stages: ['failed', 'failed', 'undelivered'] },
    { filter: { resourceType: 'Pat' }, stages: [] },
    { filter: { workflow: NONE }, stages: ['invalid', 'undelivered'] },
    { filter: { workflow: NONE, resourceType: NONE }, stages: ['invalid'] },
    { filter: { from: at('12:01:00') }, stages: ['invalid', 'undelivered'] },
    { filter: { from: at('12:01:01') }, stages: ['undelivered'] },
    { filter: { to: at('12:01:00') }, stages: ['invalid', 'failed', 'failed'] },
    { filter: { to: at('12:00:59') }, stages: ['failed', 'failed'] },
  ])('given the filter $filter, then the stages are $stages', async ({ filter, stages }) => {
    const { letters } = await openFullApp();

    expect((await letters(filter)).map(({ stage }) => stage)).toEqual(stages);
  });

  it('given the filter is a workflow, then blobs that never reached a workflow are not read', async () => {
    const { deadLetterStores } = await openFullApp();
    const undelivered = { ...deadLetterStores.undelivered, list: async () => Promise.reject(new Error('asked')) };

    expect(await allOf(deadLettersOf({ ...deadLetterStores, undelivered }, { workflow: 'one' }))).toHaveLength(1);
  });

  it('given the list starts after any of them, then each later one is listed once', async () => {
    const { deadLetterStores, ids } = await openFullApp();
    const all = await ids();
    let after: After | undefined;
    const seen: string[] = [];

    for (;;) {
      const { value } = await scanDeadLetters(deadLetterStores, {}, { after }).next();
      if (!value) break;
      seen.push(value.deadLetter?.id ?? '');
      after = JSON.parse(JSON.stringify(value.after));
    }

    expect(all).toHaveLength(4);
    expect(seen).toEqual(all);
  });

  it('given a dead letter that is also in resolved/, then it is not listed as pending', async () => {
    const { app, letters } = await openFullApp();
    const [failed] = (await app.stores.deadLetters.list('pending/failed/', { limit: 1 })).blobs;
    await app.stores.deadLetters.create(failed?.name.replace('pending', 'resolved') ?? '', '{}');

    expect(await letters({ stage: 'failed' })).toHaveLength(1);
  });

  it('given a blob that is deleted while it is read, then it is left out', async () => {
    const { deadLetterStores } = await openFullApp();
    const undelivered = { ...deadLetterStores.undelivered, readText: async () => undefined };

    expect(await allOf(deadLettersOf({ ...deadLetterStores, undelivered }, { stage: 'undelivered' }))).toEqual([]);
  });
});

describe('when there are 100,000', () => {
  const COUNT = 100_000;
  const PAGE = 1000;

  /** A container with so many dead letters, each made only when it is read. */
  function endlessContainer(isTold: boolean) {
    const asked = { pages: 0, reads: 0, readsAtOnce: 0, maxReadsAtOnce: 0 };
    const page = (from: number): BlobPage => ({
      blobs: Array.from({ length: Math.min(PAGE, COUNT - from) }, (_, n) => ({
        name: `pending/failed/2026-01-01/${String(from + n).padStart(22, '0')}.0.json`,
        createdAt: new Date('2026-01-01T12:00:00.000Z'),
        ...(isTold && { metadata: { reason: 'tries-spent', workflow: `w${(from + n) % 7}` } }),
      })),
      next: from + PAGE < COUNT ? String(from + PAGE) : undefined,
    });
    const store: Pick<BlobStore, 'list' | 'read'> = {
      async list(prefix, { page: from = '0' }) {
        if (!prefix.startsWith('pending/failed/')) return { blobs: [], next: undefined };
        asked.pages += 1;
        return page(Number(from));
      },
      async read() {
        asked.reads += 1;
        asked.readsAtOnce += 1;
        asked.maxReadsAtOnce = Math.max(asked.maxReadsAtOnce, asked.readsAtOnce);
        await new Promise<void>((resolve) => void setImmediate(resolve));
        asked.readsAtOnce -= 1;
        return '{"reason":"r","error":{"code":"c"},"event":{}}';
      },
    };
    return { asked, store: store as BlobStore };
  }
  const nothing = createMemoryBlobStore({ clock: createFakeClock() });

  it('given a reader of all, then each page is read when it is needed, and nothing is kept in memory', async () => {
    const { asked, store } = endlessContainer(true);
    let seen = 0;
    let max = 0;
    let last = '';

    for await (const { id } of deadLettersOf({ blobs: store, undelivered: nothing }, {})) {
      seen += 1;
      max = Math.max(max, asked.pages * PAGE - seen);
      expect(id > last).toBe(true);
      last = id;
    }

    expect(seen).toBe(COUNT);
    expect(max).toBeLessThan(PAGE);
    expect(asked.reads).toBe(0);
  });

  it('given the first ten are asked for, then one page is read', async () => {
    const { asked, store } = endlessContainer(true);
    const letters = deadLettersOf({ blobs: store, undelivered: nothing }, {});

    for (let n = 0; n < 10; n += 1) await letters.next();

    expect(asked.pages).toBe(1);
  });

  it('given their content must be read, then a few are read at a time, and no more than are asked for', async () => {
    const { asked, store } = endlessContainer(false);
    const letters = deadLettersOf({ blobs: store, undelivered: nothing }, {});

    for (let n = 0; n < 100; n += 1) await letters.next();

    expect(asked).toMatchObject({ pages: 1, reads: 104, maxReadsAtOnce: 8 });
  });

  it('given they are counted by cause, then only the causes are kept in memory', async () => {
    const { store } = endlessContainer(true);
    const letters = deadLettersOf({ blobs: store, undelivered: nothing }, {});

    const { groups, ...all } = await groupDeadLetters(letters, ['reason', 'workflow'], COUNT);

    expect(all).toEqual({ letters: COUNT, isMore: false });
    expect(groups).toHaveLength(7);
    expect(groups[0]).toEqual({
      by: { reason: 'tries-spent', workflow: 'w0' },
      letters: 14_286,
      events: 14_286,
      oldestAt: '2026-01-01T12:00:00.000Z',
      newestAt: '2026-01-01T12:00:00.000Z',
      example: `failed.2026-01-01.${'0'.repeat(22)}.0`,
      newest: `failed.2026-01-01.${'0'.repeat(22)}.0`,
      redriven: 0,
    });
  });
});

describe('when dead letters are counted by cause', () => {
  it('given several causes, then the largest comes first, with the oldest dead letter as an example', async () => {
    const { deadLetterStores, letters } = await openFullApp();
    const [, failed] = await letters();

    const { groups } = await groupDeadLetters(deadLettersOf(deadLetterStores, {}), ['stage', 'error'], 100);

    expect(groups).toMatchObject([
      { by: { stage: 'failed', error: 'non-retriable' }, letters: 2, events: 2, example: failed?.id },
      { by: { stage: 'invalid', error: 'invalid' }, letters: 1, events: 1, oldestAt: '2026-01-01T12:01:00.000Z' },
      { by: { stage: 'undelivered', error: 'Busy' }, letters: 1, events: 2 },
    ]);
  });

  it('given more than the limit, then the count says so', async () => {
    const { deadLetterStores } = await openFullApp();

    expect(await groupDeadLetters(deadLettersOf(deadLetterStores, {}), ['stage'], 3)).toMatchObject({
      letters: 3,
      isMore: true,
    });
    expect(await groupDeadLetters(deadLettersOf(deadLetterStores, {}), ['stage'], 4)).toMatchObject({
      letters: 4,
      isMore: false,
    });
  });
});
