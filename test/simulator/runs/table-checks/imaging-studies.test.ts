import { digest } from '../../../../src/digest.js';
import { resourceOf } from '../../../../src/events/order.js';
import { writePart10 } from '../../../../src/simulator/dicom/write-part10.js';
import { checkStudies } from '../../../../src/simulator/runs/table-checks/imaging-studies.js';
import { makeImage, makeStudy, type Study } from '../../../../src/simulator/scenarios/images.js';
import { seededRandom } from '../../../../src/simulator/seeded.js';
import type { Row } from '../../../../src/storage/table-store.js';
import { readerOfContent } from '../../../../src/testing/content.js';
import { dicomEvent } from '../../../../src/testing/index.js';
import type { HealthEvent } from '../../../../src/workflow.js';
import { createImagingStudies } from '../../../../src/workflows/imaging-studies/imaging-studies.js';
import { createAccount, startApp } from '../../../pipeline/memory-app.js';
import { rawOfDicom } from '../../../testing/raw-events.js';
import { openService, storeFile } from '../../dicom/open-service.js';

const SINCE = new Date('2026-01-01T00:00:00Z');
const random = seededRandom(7);
const LARGE: Study = { ...makeStudy(random, SINCE), modality: 'CT' };
const SMALL: Study = { ...makeStudy(random, SINCE), modality: 'MR' };

/**
 * A service with a study of 250 images, one of 2 in another partition and one that was deleted, and an app that has
 * heard of it all.
 */
async function start() {
  const { service, published, clock } = openService();
  const store = (study: Study, number: number, partition?: string) =>
    storeFile(service, writePart10(makeImage(random, study, number)), partition);
  for (let at = 1; at <= 250; at += 1) {
    clock.advance(1000);
    store(LARGE, at);
  }
  for (const at of [1, 2]) store(SMALL, at, 'clinic-b');
  store(SMALL, 3);
  service.images.remove('Microsoft.Default', { studyUid: SMALL.studyUid });

  const events = published.map(({ change, sequenceNumber, at, host, service: _, ...image }) =>
    dicomEvent({ ...image, host, change, version: sequenceNumber, time: at.toISOString() }),
  );
  const account = createAccount();
  const readerFor = (event: HealthEvent) => {
    const isLarge = 'studyUid' in event && event.studyUid === LARGE.studyUid;
    return readerOfContent(event, { instance: { '00080060': { vr: 'CS', Value: [isLarge ? 'CT' : 'MR'] } } });
  };
  const app = startApp(account, { workflows: [createImagingStudies()], readerFor });
  await app.pipeline.deliver(events.map(rawOfDicom));
  const newest = new Map(events.map((event, n) => [digest(resourceOf(event)), { n }]));
  let notCompleted: readonly number[] = [];

  return {
    events,
    notCompleted(numbers: readonly number[]) {
      notCompleted = numbers;
    },
    check: () =>
      checkStudies.check({
        tables: account.tables,
        services: { dicom: service },
        newest,
        since: SINCE,
        hasCompleted: (n) => !notCompleted.includes(n),
      }),
    async change(which: (row: Row) => boolean, become: (row: Row) => Row | undefined): Promise<void> {
      for (const { partition, key, row, etag } of account.tables.inspect('studies')) {
        if (!which(row)) continue;
        const next = become(row);
        const operation = next ? { kind: 'replace' as const, key, row: next, etag } : { kind: 'delete' as const, key };
        await account.tables.commit('studies', partition, [operation]);
      }
    },
    async add(row: Row): Promise<void> {
      await account.tables.commit('studies', '0', [{ kind: 'insert', key: 'another', row }]);
    },
  };
}

const isLarge = ({ instances }: Row) => instances === 250;
const isDeleted = ({ status }: Row) => status === 'deleted';

describe('when the table of studies is compared with the service', () => {
  it('given all is well, then a row for each study, and no problem', async () => {
    expect(await (await start()).check()).toEqual({ rows: 3, problems: [] });
  });

  it.each<{ column: string; value: Row[string] }>([
    { column: 'instances', value: 249 },
    { column: 'series', value: 2 },
    { column: 'modalities', value: 'CT,MR' },
    { column: 'firstSeenAt', value: '2026-01-01T12:00:02.000Z' },
    { column: 'lastSeenAt', value: '' },
    { column: 'status', value: 'deleted' },
  ])('given a row with another $column, then it is a problem without the value', async ({ column, value }) => {
    const { check, change } = await start();
    await change(isLarge, (row) => ({ ...row, [column]: value }));

    expect(await check()).toEqual({ rows: 3, problems: [`a row is not as a study of 250 images is: ${column}`] });
  });

  it('given a deleted study whose row is not marked, then it is a problem', async () => {
    const { check, change } = await start();
    await change(isDeleted, (row) => ({ ...row, status: 'settled' }));

    expect((await check()).problems).toEqual(['a row is not as a study of 0 images is: status']);
  });

  it('given a row is missing, then it is a problem', async () => {
    const { check, change } = await start();
    await change(isLarge, () => undefined);

    expect(await check()).toEqual({ rows: 2, problems: ['a row is missing for a study of 250 images'] });
  });

  it('given a row of an unknown study, then it is a problem; a row of another service is skipped', async () => {
    const { check, add, events } = await start();
    const host = String(events[0]?.host);
    await add({ host: 'b.dicom.example', dicomPartition: 'p', studyUid: '9' });
    expect(await check()).toEqual({ rows: 3, problems: [] });

    const { check: checkAnother, add: addAnother } = await start();
    await addAnother({ host, dicomPartition: 'p', studyUid: '9' });
    expect(await checkAnother()).toEqual({
      rows: 4,
      problems: ['a row is there for a study that never was, or twice'],
    });
  });

  it('given an image whose newest event is not completed, then its study is not checked', async () => {
    const { check, change, notCompleted } = await start();
    await change(isLarge, (row) => ({ ...row, instances: 249 }));
    notCompleted([249]);

    expect(await check()).toEqual({ rows: 3, problems: [] });
  });
});
