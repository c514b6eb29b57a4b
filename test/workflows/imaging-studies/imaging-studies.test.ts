import fc from 'fast-check';
import { createTestKit, type DicomContent, dicomEvent, type TestKit } from '../../../src/testing/index.js';
import type { Change, DicomEvent, Workflow } from '../../../src/workflow.js';
import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import { batchesOf } from '../batches.js';
import { expectedOf, type Held, metadataOf, type Story, steps, storyOf } from './stories.js';

type Fields = NonNullable<Parameters<typeof dicomEvent<Change>>[0]>;

const CT: DicomContent = { instance: { '00080060': { vr: 'CS', Value: ['CT'] } } };
const FIRST = { studyUid: '1.2', seriesUid: '1.2.3', instanceUid: '1.2.3.1' };
const SECOND = { instanceUid: '1.2.3.2', version: 2 };

function start(settings: Readonly<Record<string, string>> = {}) {
  const kit = createTestKit({ settings });
  const workflow = createImagingStudies();
  return {
    kit,
    /** Runs an event of the first image, with other fields; its read finds `resource`. */
    comes: (fields: Fields = {}, options: { resource: DicomContent | Error | undefined } = { resource: CT }) =>
      kit.run(workflow, dicomEvent<Change>({ ...FIRST, ...fields }), options),
    lookup: async (query: object) => (await kit.lookup(workflow, query)).studies as { studyUid: string }[],
    ...viewsOf(kit),
  };
}

function viewsOf(kit: TestKit) {
  return {
    studies: () => kit.rows('studies').map(({ row }) => row),
    open: () => kit.rows('openstudies'),
    /** Lets so many minutes pass, with the timer of a process each minute. */
    async pass(minutes: number): Promise<void> {
      for (let minute = 0; minute < minutes; minute += 1) {
        await kit.runTask(createImagingStudies());
        kit.clock.advance(60_000);
      }
    },
  };
}

describe('when images of a study arrive', () => {
  it('given two images of a series, then the row counts them, with their times of creation and modality', async () => {
    const { comes, studies } = start();
    const host = 'a.dicom.example';

    expect(await comes({ host, time: '2026-03-01T10:00:00Z' })).toEqual({ kind: 'completed' });
    await comes({ ...SECOND, host, time: '2026-03-01T10:02:00Z' });

    expect(studies()).toEqual([
      {
        host,
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

  it('given series of several modalities, then the row lists each modality once, sorted', async () => {
    const { comes, studies } = start();
    for (const [at, modality] of ['SR', 'CT', 'SR'].entries()) {
      const resource = { instance: { '00080060': { vr: 'CS', Value: [modality] } } };
      await comes({ seriesUid: `1.${at}`, instanceUid: `1.${at}.1`, version: at + 1 }, { resource });
    }

    expect(studies()).toMatchObject([{ series: 3, modalities: 'CT,SR' }]);
  });

  it.each([
    { given: 'another study', other: { studyUid: '1.9' } },
    { given: 'another partition', other: { partition: 'clinic-b' } },
    { given: 'another service', other: { host: 'b.dicom.example' } },
  ])('given an image of $given, then each study has its row', async ({ other }) => {
    const { comes, studies } = start();

    await comes();
    await comes(other);

    expect(studies()).toMatchObject([{ instances: 1 }, { instances: 1 }]);
  });

  it('given the last image is deleted, then the row stays as deleted, and the study is not open', async () => {
    const { comes, studies, pass, open } = start();

    await comes();
    await comes({ change: 'deleted', version: 2 });

    const nothing = { instances: 0, series: 0, modalities: '', firstSeenAt: '', lastSeenAt: '' };
    expect(studies()).toMatchObject([{ ...nothing, status: 'deleted' }]);
    await pass(1);
    expect(open()).toEqual([]);
  });

  it('given the Created comes after the Updated, then its time is that of the Created', async () => {
    const { comes, studies } = start();

    await comes({ change: 'updated', version: 5 });
    expect(studies()).toMatchObject([{ instances: 1, firstSeenAt: '' }]);
    await comes({ version: 1 });

    const at = '2026-01-01T12:01:00.000Z';
    expect(studies()).toMatchObject([{ instances: 1, firstSeenAt: at, lastSeenAt: at }]);
  });
});

describe('when the modality of a series is read', () => {
  it('given an image that is gone, then the row has no modality until a later image of the series', async () => {
    const { comes, studies } = start();

    await comes({}, { resource: undefined });
    expect(studies()).toMatchObject([{ instances: 1, modalities: '' }]);
    await comes(SECOND);

    expect(studies()).toMatchObject([{ instances: 2, modalities: 'CT' }]);
  });

  it('given the read fails, then the try fails, and nothing is written', async () => {
    const { kit, comes, studies } = start();

    expect(await comes({}, { resource: new Error('down') })).toMatchObject({ kind: 'retry' });

    expect([...kit.rows('studyinstances'), ...studies()]).toEqual([]);
  });

  it('given a Deleted event, then the handler reads nothing', async () => {
    const result = await start().comes({ change: 'deleted' }, { resource: new Error('down') });

    expect(result).toEqual({ kind: 'completed' });
  });
});

describe('when a study is quiet', () => {
  it('given the default of ten minutes, then the study settles after ten minutes, and the timer reads it no more', async () => {
    const { comes, studies, pass, open } = start();
    await comes();

    await pass(10);
    expect(studies()).toMatchObject([{ status: 'arriving' }]);
    await pass(1);

    expect(studies()).toMatchObject([{ status: 'settled', instances: 1 }]);
    expect(open()).toEqual([]);
  });

  it.each<{ given: string; fields: Fields }>([
    { given: 'another image', fields: SECOND },
    { given: 'an update', fields: { change: 'updated', version: 2 } },
    { given: 'a Deleted of an image that never came', fields: { ...SECOND, change: 'deleted' } },
  ])('given $given in between, then the quiet time starts again', async ({ fields }) => {
    const { comes, studies, pass } = start({ STUDY_QUIET_MINUTES: '3' });
    await comes();

    await pass(3);
    await comes(fields);
    await pass(3);
    expect(studies()).toMatchObject([{ status: 'arriving' }]);
    await pass(1);

    expect(studies()).toMatchObject([{ status: 'settled' }]);
  });

  it.each<{ given: string; fields: Fields }>([
    { given: 'an image', fields: SECOND },
    { given: 'an update', fields: { change: 'updated', version: 2 } },
  ])(
    'given $given after the study has settled, then the study arrives again, and settles again',
    async ({ fields }) => {
      const { comes, studies, pass } = start({ STUDY_QUIET_MINUTES: '1' });
      await comes();
      await pass(2);
      expect(studies()).toMatchObject([{ status: 'settled' }]);

      await comes(fields);
      expect(studies()).toMatchObject([{ status: 'arriving' }]);
      await pass(2);

      expect(studies()).toMatchObject([{ status: 'settled' }]);
    },
  );

  it('given a former timer process whose clock was hours ahead, then the quiet time starts again', async () => {
    const { kit, comes, studies, pass, open } = start();
    await comes();
    await pass(1);
    const [{ partition, key, row } = { partition: '', key: '', row: {} }] = open();
    const ahead = { ...row, quietSince: '2026-01-01T23:00:00.000Z' };
    await kit.tables('openstudies').change(partition, key, () => ahead);

    await pass(11);

    expect(studies()).toMatchObject([{ status: 'settled' }]);
  });

  it('given duplicates, then the study stays settled', async () => {
    const { comes, studies, pass, open } = start({ STUDY_QUIET_MINUTES: '1' });
    await comes();
    await pass(2);

    await comes();

    expect(studies()).toMatchObject([{ status: 'settled' }]);
    expect(open()).toEqual([]);
  });
});

describe('when the app starts', () => {
  const setup = (settings: Readonly<Record<string, string>>) => createImagingStudies().setup((name) => settings[name]);

  it('given no service to read from, then the workflow is off; with a service or the simulator, it is on', () => {
    expect(setup({})).toEqual({ kind: 'off', code: 'dicom-hosts-absent' });
    expect(setup({ DICOM_HOSTS: 'a.dicom.example' })).toEqual({ kind: 'on' });
    expect(setup({ SIMULATOR: 'on' })).toEqual({ kind: 'on' });
  });

  it.each(['1', '1440'])('given %s quiet minutes, then the workflow is on', (minutes) => {
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

  it.each([1, 3])(
    'given %i processes over one storage, then the row ends as the service has the study, and settles',
    async (count) => {
      await fc.assert(
        fc.asyncProperty(cases, async ([story, batches]) => {
          const kit = createTestKit();
          const { studies, pass, open } = viewsOf(kit);
          await deliver(story, batches, kit, Array.from({ length: count }, createImagingStudies));

          const held = story.moments.at(-1) as Held;
          expect(studies()).toMatchObject([expectedOf(held)]);
          await pass(11);
          expect(studies()).toMatchObject([{ ...expectedOf(held), status: held.size > 0 ? 'settled' : 'deleted' }]);
          expect(open()).toEqual([]);
        }),
        { numRuns: 400 },
      );
    },
  );

  /** A handler reads the content that the service held when it sent the newest of the events that have arrived. */
  async function deliver({ events, moments }: Story, batches: number[][], kit: TestKit, processes: Workflow[]) {
    let now = 0;
    for (const batch of batches) {
      now = Math.max(now, ...batch);
      const runs = batch.map((number, at) => {
        const event = events[number] as DicomEvent;
        const instance = metadataOf(event, moments[now] as Held);
        return kit.run(processes[at % processes.length] as Workflow, event, { resource: { instance } });
      });
      for (const result of await Promise.all(runs)) expect(result).toEqual({ kind: 'completed' });
    }
  }
});

describe('when studies are looked up', () => {
  it('given a study in two services and a partition, then the answer has all three, without internal columns', async () => {
    const { comes, lookup } = start();
    await comes({ host: 'a.dicom.example' });
    await comes({ host: 'b.dicom.example' });
    await comes({ host: 'b.dicom.example', partition: 'p' });
    await comes({ studyUid: '1.3' });

    const studies = await lookup({ studyUid: '1.2' });

    expect(studies).toHaveLength(3);
    expect(studies).toContainEqual({
      host: 'a.dicom.example',
      dicomPartition: 'Microsoft.Default',
      studyUid: '1.2',
      series: 1,
      instances: 1,
      modalities: 'CT',
      firstSeenAt: '2026-01-01T12:01:00.000Z',
      lastSeenAt: '2026-01-01T12:01:00.000Z',
      status: 'arriving',
    });
  });

  it('given a query of arriving studies, then the answer has no settled study, and no more than the limit', async () => {
    const { comes, pass, lookup } = start({ STUDY_QUIET_MINUTES: '1' });
    await comes({ studyUid: '1.1' });
    await pass(2);
    for (let at = 0; at < 120; at += 1) await comes({ studyUid: `1.2.${at}` });

    expect(await lookup({ status: 'arriving' })).toHaveLength(100);
    expect(await lookup({ status: 'arriving', limit: 7 })).toHaveLength(7);
    const all = await lookup({ status: 'arriving', limit: 1000 });
    expect(all).toHaveLength(120);
    expect(all.map(({ studyUid }) => studyUid)).not.toContain('1.1');
  });

  it('given an unknown study, then the answer is empty', async () => {
    expect(await start().lookup({ studyUid: '9' })).toEqual([]);
  });

  it.each([{}, { studyUid: '' }, { status: 'settled' }, { status: 'arriving', limit: 0 }, { studyUid: '1', limit: 1 }])(
    'given %j, then the query is refused',
    async (query) => {
      await expect(start().lookup(query)).rejects.toMatchObject({ name: 'ZodError' });
    },
  );
});

describe('when its rows are written', () => {
  it('given UIDs, then no key of any table holds them', async () => {
    const { kit, comes } = start();
    await comes({ studyUid: '1.2.777', seriesUid: '1.2.777.8', instanceUid: '1.2.777.8.9', host: 'secret.example' });

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
