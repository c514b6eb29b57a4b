import fc from 'fast-check';
import { createTestKit, type DicomContent, dicomEvent, type TestKit } from '../../../src/testing/index.js';
import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import { batchesOf } from '../batches.js';
import { expectedOf, metadataOf, type Story, steps, storyOf } from './stories.js';

const CT: DicomContent = { instance: { '00080060': { vr: 'CS', Value: ['CT'] } } };
const FIRST = { studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.1' };
const SECOND = { studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.2' };

const studiesIn = (kit: TestKit) => kit.rows('studies').map(({ row }) => row);
const openIn = (kit: TestKit) => kit.rows('openstudies');

/** Lets so many minutes pass, with the timer each minute. */
async function pass(kit: TestKit, minutes: number, workflow = createImagingStudies()): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await kit.runTask(workflow);
    kit.clock.advance(60_000);
  }
}

describe('when images of a study arrive', () => {
  it('given two images of a series, then the row counts them, with their times of creation and modality', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();

    const first = dicomEvent({ ...FIRST, host: 'a.dicom.example', time: '2026-03-01T10:00:00Z' });
    expect(await kit.run(workflow, first, { resource: CT })).toEqual({ kind: 'completed' });
    const second = dicomEvent({ ...SECOND, host: 'a.dicom.example', time: '2026-03-01T10:02:00Z', version: 2 });
    await kit.run(workflow, second, { resource: CT });

    expect(studiesIn(kit)).toEqual([
      {
        host: 'a.dicom.example',
        dicomPartition: 'Microsoft.Default',
        studyUid: '1.2',
        instances: 2,
        series: 1,
        modalities: 'CT',
        firstSeenAt: '2026-03-01T10:00:00.000Z',
        lastSeenAt: '2026-03-01T10:02:00.000Z',
        status: 'arriving',
        seen: expect.stringMatching(/^[\w-]{22}$/),
        revision: 2,
        period: 1,
        isListed: true,
      },
    ]);
  });

  it('given series of several modalities, then they are sorted, each once', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();
    for (const [at, modality] of ['SR', 'CT', 'SR'].entries()) {
      const event = dicomEvent({ studyUid: '1', seriesUid: `1.${at}`, instanceUid: `1.${at}.1`, version: at + 1 });
      await kit.run(workflow, event, { resource: { instance: { '00080060': { vr: 'CS', Value: [modality] } } } });
    }

    expect(studiesIn(kit)).toMatchObject([{ series: 3, modalities: 'CT,SR' }]);
  });

  it.each([
    { given: 'another study', other: { studyUid: '1.9' } },
    { given: 'another partition', other: { partition: 'clinic-b' } },
    { given: 'another service', other: { host: 'b.dicom.example' } },
  ])('given an image of $given, then each study has its row', async ({ other }) => {
    const kit = createTestKit();
    const workflow = createImagingStudies();

    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });
    await kit.run(workflow, dicomEvent({ ...FIRST, ...other }), { resource: CT });

    expect(studiesIn(kit)).toMatchObject([{ instances: 1 }, { instances: 1 }]);
  });

  it('given the last image is deleted, then the row stays as deleted, and nothing is open', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();

    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });
    await kit.run(workflow, dicomEvent({ ...FIRST, change: 'deleted', version: 2 }));

    const nothing = { instances: 0, series: 0, modalities: '', firstSeenAt: '', lastSeenAt: '' };
    expect(studiesIn(kit)).toMatchObject([{ ...nothing, status: 'deleted' }]);
    await kit.runTask(workflow);
    expect(openIn(kit)).toEqual([]);
  });

  it('given the Created comes after the Updated, then its time is that of the Created', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();

    await kit.run(workflow, dicomEvent({ ...FIRST, change: 'updated', version: 5 }), { resource: CT });
    expect(studiesIn(kit)).toMatchObject([{ instances: 1, firstSeenAt: '' }]);
    await kit.run(workflow, dicomEvent({ ...FIRST, version: 1 }), { resource: CT });

    const at = '2026-01-01T12:01:00.000Z';
    expect(studiesIn(kit)).toMatchObject([{ instances: 1, firstSeenAt: at, lastSeenAt: at }]);
  });
});

describe('when the modality of a series is read', () => {
  it('given the image is gone, then it is left out, and a later image of the series brings it', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();

    await kit.run(workflow, dicomEvent(FIRST), { resource: undefined });
    expect(studiesIn(kit)).toMatchObject([{ instances: 1, modalities: '' }]);
    await kit.run(workflow, dicomEvent({ ...SECOND, version: 2 }), { resource: CT });

    expect(studiesIn(kit)).toMatchObject([{ instances: 2, modalities: 'CT' }]);
  });

  it('given the read fails, then so does the try, and nothing is written', async () => {
    const kit = createTestKit();

    const result = await kit.run(createImagingStudies(), dicomEvent(FIRST), { resource: new Error('down') });

    expect(result).toMatchObject({ kind: 'retry' });
    expect([...kit.rows('studyinstances'), ...studiesIn(kit)]).toEqual([]);
  });

  it('given a Deleted, then nothing is read', async () => {
    const kit = createTestKit();
    const event = dicomEvent({ ...FIRST, change: 'deleted' });

    expect(await kit.run(createImagingStudies(), event, { resource: new Error('down') })).toEqual({
      kind: 'completed',
    });
  });
});

describe('when a study is quiet', () => {
  it('given the default of ten minutes, then it is settled after them, and no sooner, and not looked at any more', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });

    await pass(kit, 10, workflow);
    expect(studiesIn(kit)).toMatchObject([{ status: 'arriving' }]);
    await pass(kit, 1, workflow);

    expect(studiesIn(kit)).toMatchObject([{ status: 'settled', instances: 1 }]);
    expect(openIn(kit)).toEqual([]);
  });

  it.each([
    { given: 'another image', event: dicomEvent({ ...SECOND, version: 2 }) },
    { given: 'an update', event: dicomEvent({ ...FIRST, change: 'updated', version: 2 }) },
    { given: 'a Deleted of an image that never came', event: dicomEvent({ ...SECOND, change: 'deleted', version: 2 }) },
  ])('given $given comes in between, then the quiet time starts again', async ({ event }) => {
    const kit = createTestKit({ settings: { STUDY_QUIET_MINUTES: '3' } });
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });

    await pass(kit, 3, workflow);
    await kit.run(workflow, event, { resource: CT });
    await pass(kit, 3, workflow);
    expect(studiesIn(kit)).toMatchObject([{ status: 'arriving' }]);
    await pass(kit, 1, workflow);

    expect(studiesIn(kit)).toMatchObject([{ status: 'settled' }]);
  });

  it.each([
    { given: 'an image', event: dicomEvent({ ...SECOND, version: 2 }) },
    { given: 'an update', event: dicomEvent({ ...FIRST, change: 'updated', version: 2 }) },
  ])('given $given comes after it has settled, then it arrives again, and settles again', async ({ event }) => {
    const kit = createTestKit({ settings: { STUDY_QUIET_MINUTES: '1' } });
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });
    await pass(kit, 2, workflow);
    expect(studiesIn(kit)).toMatchObject([{ status: 'settled' }]);

    await kit.run(workflow, event, { resource: CT });
    expect(studiesIn(kit)).toMatchObject([{ status: 'arriving' }]);
    await pass(kit, 2, workflow);

    expect(studiesIn(kit)).toMatchObject([{ status: 'settled' }]);
  });

  it('given a former timer process whose clock was hours ahead, then the quiet time starts again', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });
    await kit.runTask(workflow);
    for (const { partition, key, row } of openIn(kit)) {
      await kit
        .tables('openstudies')
        .change(partition, key, () => ({ ...row, quietSince: '2026-01-01T23:00:00.000Z' }));
    }

    await pass(kit, 11, workflow);

    expect(studiesIn(kit)).toMatchObject([{ status: 'settled' }]);
  });

  it('given duplicates, then the study stays settled', async () => {
    const kit = createTestKit({ settings: { STUDY_QUIET_MINUTES: '1' } });
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });
    await pass(kit, 2, workflow);

    await kit.run(workflow, dicomEvent(FIRST), { resource: CT });

    expect(studiesIn(kit)).toMatchObject([{ status: 'settled' }]);
    expect(openIn(kit)).toEqual([]);
  });
});

describe('when the app starts', () => {
  const setup = (settings: Readonly<Record<string, string>>) => createImagingStudies().setup((name) => settings[name]);

  it('given no service to read from, then it is off; with one, or the simulator, it is on', () => {
    expect(setup({})).toEqual({ kind: 'off', code: 'dicom-hosts-absent' });
    expect(setup({ DICOM_HOSTS: 'a.dicom.example' })).toEqual({ kind: 'on' });
    expect(setup({ SIMULATOR: 'on' })).toEqual({ kind: 'on' });
  });

  it.each(['1', '1440'])('given %s quiet minutes, then it is on', (minutes) => {
    expect(setup({ SIMULATOR: 'on', STUDY_QUIET_MINUTES: minutes })).toEqual({ kind: 'on' });
  });

  it.each(['0', '1441', '1.5', 'ten', '-1'])('given %s quiet minutes, then the setting is wrong', (minutes) => {
    expect(setup({ STUDY_QUIET_MINUTES: minutes })).toEqual({
      kind: 'wrong',
      problems: [`STUDY_QUIET_MINUTES is '${minutes}', must be a whole number from 1 to 1440`],
    });
  });
});

describe('when events of a study come in any order, several times, some of them together', () => {
  const cases = steps
    .map((all) => storyOf(all))
    .chain((story) => fc.tuple(fc.constant(story), batchesOf(story.events.length)));

  it('given one process, then the row ends as the service has the study, and settles', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([story, batches]) => {
        const kit = createTestKit();
        await deliver(story, batches, kit, [createImagingStudies()]);

        expect(studiesIn(kit)).toMatchObject([expectedOf(lastOf(story))]);
        await pass(kit, 11);
        const status = lastOf(story).size > 0 ? 'settled' : 'deleted';
        expect(studiesIn(kit)).toMatchObject([{ ...expectedOf(lastOf(story)), status }]);
        expect(openIn(kit)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('given three processes over the same storage, then the same', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([story, batches]) => {
        const kit = createTestKit();
        await deliver(story, batches, kit, [createImagingStudies(), createImagingStudies(), createImagingStudies()]);

        expect(studiesIn(kit)).toMatchObject([expectedOf(lastOf(story))]);
      }),
      { numRuns: 400 },
    );
  });

  /** What is read is what the service held when the last event of those that have come was sent. */
  async function deliver(
    story: Story,
    batches: number[][],
    kit: TestKit,
    processes: ReturnType<typeof createImagingStudies>[],
  ) {
    let now = 0;
    for (const batch of batches) {
      now = Math.max(now, ...batch);
      const runs = batch.map((number, at) => {
        const event = eventOf(story, number);
        const instance = metadataOf(event, momentOf(story, now));
        return kit.run(processes[at % processes.length] as (typeof processes)[0], event, { resource: { instance } });
      });
      for (const result of await Promise.all(runs)) expect(result).toEqual({ kind: 'completed' });
    }
  }

  function lastOf({ moments }: Story) {
    return moments.at(-1) as Story['moments'][0];
  }

  function momentOf({ moments }: Story, now: number) {
    return moments[now] as Story['moments'][0];
  }

  function eventOf({ events }: Story, number: number) {
    return events[number] as Story['events'][0];
  }
});

describe('when studies are looked up', () => {
  const known = { host: 'a.dicom.example', dicomPartition: 'Microsoft.Default', studyUid: '1.2', series: 1 };

  it('given a study in two services and a partition, then all three, without internal columns', async () => {
    const kit = createTestKit();
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent({ ...FIRST, host: 'a.dicom.example' }), { resource: CT });
    await kit.run(workflow, dicomEvent({ ...FIRST, host: 'b.dicom.example' }), { resource: CT });
    await kit.run(workflow, dicomEvent({ ...FIRST, host: 'b.dicom.example', partition: 'p' }), { resource: CT });
    await kit.run(workflow, dicomEvent({ ...FIRST, studyUid: '1.3' }), { resource: CT });

    const { studies } = await kit.lookup(workflow, { studyUid: '1.2' });

    expect(studies).toHaveLength(3);
    expect(studies).toContainEqual({
      ...known,
      instances: 1,
      modalities: 'CT',
      firstSeenAt: '2026-01-01T12:01:00.000Z',
      lastSeenAt: '2026-01-01T12:01:00.000Z',
      status: 'arriving',
    });
  });

  it('given the arriving studies, then no settled study and no more than the limit', async () => {
    const kit = createTestKit({ settings: { STUDY_QUIET_MINUTES: '1' } });
    const workflow = createImagingStudies();
    await kit.run(workflow, dicomEvent({ ...FIRST, studyUid: '1.1' }), { resource: CT });
    await pass(kit, 2, workflow);
    for (let at = 0; at < 120; at += 1) {
      await kit.run(workflow, dicomEvent({ ...FIRST, studyUid: `1.2.${at}` }), { resource: CT });
    }

    const asked = async (more: { limit?: number }) =>
      (await kit.lookup(workflow, { status: 'arriving', ...more })).studies as { studyUid: string }[];

    expect(await asked({})).toHaveLength(100);
    expect(await asked({ limit: 7 })).toHaveLength(7);
    const all = await asked({ limit: 1000 });
    expect(all).toHaveLength(120);
    expect(all.map(({ studyUid }) => studyUid)).not.toContain('1.1');
  });

  it('given an unknown study, then none', async () => {
    expect(await createTestKit().lookup(createImagingStudies(), { studyUid: '9' })).toEqual({ studies: [] });
  });

  it.each([{}, { studyUid: '' }, { status: 'settled' }, { status: 'arriving', limit: 0 }, { studyUid: '1', limit: 1 }])(
    'given %j, then it is no valid query',
    async (query) => {
      await expect(createTestKit().lookup(createImagingStudies(), query)).rejects.toMatchObject({ name: 'ZodError' });
    },
  );
});

describe('when its rows are written', () => {
  it('given UIDs, then no key of any table holds them', async () => {
    const kit = createTestKit();
    const secret = { studyUid: '1.2.777', seriesUid: '1.2.777.8', instanceUid: '1.2.777.8.9' };
    await kit.run(createImagingStudies(), dicomEvent({ ...secret, host: 'secret.example' }), { resource: CT });

    const rows = ['studyinstances', 'studies', 'openstudies'].flatMap((table) => kit.rows(table));

    expect(rows).toHaveLength(3);
    for (const { partition, key } of rows) {
      expect(partition).toMatch(/^([0-7]|[\w-]{22}\.[\w-]{22})$/);
      expect(key).toMatch(/^[\w-]{22}(\.[\w-]{22})?$/);
      expect(`${partition} ${key}`).not.toContain('777');
    }
    expect(kit.logged).toEqual([]);
  });
});
