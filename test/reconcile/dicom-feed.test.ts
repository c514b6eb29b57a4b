import { DICOM_HOST, json, status } from '../clients/stand-in.js';
import { changesOf, openPages } from './open-pages.js';
import { dicomFeed, feedOf, SPAN, timeOf } from './services.js';

describe('when the change feed of a DICOM service is read', () => {
  it('given all actions, then each is a change with its UIDs, sequence number and time', async () => {
    const entries = ['create', 'update', 'delete'].map((action, at) => ({
      sequence: at + 5,
      action,
      timestamp: timeOf(at),
    }));
    await using reading = await openPages('dicom', [dicomFeed(entries)]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages)).toEqual(
      ['created', 'updated', 'deleted'].map((change, at) => ({
        service: 'dicom',
        host: DICOM_HOST,
        change,
        partition: 'Microsoft.Default',
        studyUid: '1.2',
        seriesUid: '1.2.3',
        instanceUid: `1.2.3.${at + 5}`,
        version: at + 5,
        time: timeOf(at),
      })),
    );
    expect(reading.service.urls()[0]).toBe(
      '/v2/changefeed?startTime=2026-01-01T10%3A00%3A00.000Z&endTime=2026-01-01T11%3A00%3A00.000Z&offset=0&limit=200&includemetadata=false',
    );
  });

  it('given names in PascalCase and no partition, then the change is the same', async () => {
    const entry = {
      Sequence: 1,
      StudyInstanceUid: '1.2',
      SeriesInstanceUid: '1.2.3',
      SopInstanceUid: '1.2.3.4',
      Action: 'Create',
      Timestamp: '2026-01-01T10:00:01.4834567Z',
      State: 'Current',
    };
    await using reading = await openPages('dicom', [json([entry]), json([])]);

    expect(changesOf((await reading.all()).pages)).toMatchObject([
      { change: 'created', partition: 'Microsoft.Default', version: 1, time: timeOf(1483) },
    ]);
  });

  it.each([200, 7])(
    'given pages of up to %i entries, then each change comes once, up to the empty page',
    async (maxPage) => {
      await using reading = await openPages('dicom', [dicomFeed(feedOf(450), { maxPage })]);

      const { pages } = await reading.all();

      expect(changesOf(pages).map(({ version }) => version)).toEqual(feedOf(450).map(({ sequence }) => sequence));
      expect(pages.at(0)?.upTo).toBe(timeOf(maxPage - 1));
      expect(pages.at(-1)).toEqual({ changes: [], unreadable: 0, upTo: SPAN.before });
    },
  );

  it('given thousands of changes, also at one time, then offsets stay small, and each change comes once', async () => {
    const entries = feedOf(12_345).map((entry) => ({ ...entry, timestamp: timeOf(Math.floor(entry.sequence / 1700)) }));
    await using reading = await openPages('dicom', [dicomFeed(entries)]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(changesOf(pages).map(({ version }) => version)).toEqual(entries.map(({ sequence }) => sequence));
    const offsets = reading.service.urls().map((url) => Number(/offset=(\d+)/.exec(url)?.[1]));
    expect(Math.max(...offsets)).toBeLessThan(5200);
  });

  it('given a limit that the service refuses, then fewer entries are requested', async () => {
    await using reading = await openPages('dicom', [status(400), dicomFeed(feedOf(3))]);

    expect(changesOf((await reading.all()).pages)).toHaveLength(3);
    expect(reading.service.urls()[1]).toContain('limit=50');
  });

  it('given entries without sequence, time, UID or a known action, then they are counted, and the others are read', async () => {
    const uids = { studyInstanceUid: '1', seriesInstanceUid: '2', sopInstanceUid: '3' };
    const good = { sequence: 1, action: 'create', timestamp: timeOf(0), ...uids };
    const broken = [
      { ...good, sequence: undefined },
      { ...good, sequence: -1 },
      { ...good, timestamp: 'now' },
      { ...good, sopInstanceUid: '' },
      { ...good, action: 'move' },
      7,
    ];
    await using reading = await openPages('dicom', [json([good, ...broken]), json([])]);

    const { pages, error } = await reading.all();

    expect(error).toBeUndefined();
    expect(pages.map(({ changes, unreadable }) => [changes.length, unreadable])).toEqual([
      [1, 6],
      [0, 0],
    ]);
  });
});

describe('when a DICOM service answers badly', () => {
  const entry = { sequence: 1, action: 'create', timestamp: timeOf(0), studyInstanceUid: '1', seriesInstanceUid: '2' };

  it.each([
    { given: '401', answer: status(401), code: 'dicom-unauthorized' },
    { given: '403', answer: status(403), code: 'dicom-forbidden' },
    { given: '404', answer: status(404), code: 'dicom-not-found' },
    { given: '429 for long', answer: status(429), code: 'dicom-throttled' },
    { given: '500 again and again', answer: status(500), code: 'dicom-server-error' },
    { given: 'garbage', answer: status(200, {}, 'M4RK3R'), code: 'dicom-not-json' },
    { given: 'an object', answer: json({ M4RK3R: 1 }), code: 'dicom-no-list' },
    {
      given: 'the same page whatever the offset',
      answer: json([{ ...entry, sopInstanceUid: '3' }]),
      code: 'dicom-endless',
    },
    {
      given: 'the newest first',
      answer: json([2, 1].map((at) => ({ ...entry, sopInstanceUid: '3', sequence: at, timestamp: timeOf(at) }))),
      code: 'dicom-out-of-order',
    },
    { given: 'entries that name no change, for ever', answer: json([entry]), code: 'dicom-endless' },
  ])('given $given, then the read fails with $code, without a part of the answer', async ({ answer, code }) => {
    await using reading = await openPages('dicom', [answer]);

    const { error } = await reading.all();

    expect(error).toMatchObject({ name: 'ReadError', code });
    expect(`${error?.message} ${error?.stack}`).not.toContain('M4RK3R');
  });
});
