import { dicomEvent } from '../../../src/testing/index.js';
import type { DicomEvent, DicomReader } from '../../../src/workflow.js';
import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import { createAccount, startApp } from '../../pipeline/memory-app.js';
import { rawOfDicom } from '../../testing/raw-events.js';

const OWN = /^(commit|read|query|create) (studyinstances|studies|openstudies)$/;

/** An app whose reads take a moment, as those over a network do. */
function start() {
  const account = createAccount();
  let reads = 0;
  const readerFor = () =>
    ({
      instance: async () => {
        reads += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return { '00080060': { vr: 'CS', Value: ['CT'] } };
      },
    }) as unknown as DicomReader;
  const app = startApp(account, { workflows: [createImagingStudies()], readerFor });
  return {
    account,
    /** Delivers `events`, and returns the cost. */
    async deliver(events: readonly DicomEvent[]) {
      const [callsBefore, readsBefore] = [app.calls.length, reads];
      await app.pipeline.deliver(events.map(rawOfDicom));
      const calls = app.calls.slice(callsBefore).filter((call) => OWN.test(call));
      return { calls, reads: reads - readsBefore };
    },
  };
}

const image = (number: number, fields: Parameters<typeof dicomEvent>[0] = {}) =>
  dicomEvent({ seriesUid: '1.2.3', instanceUid: `1.2.3.${number}`, time: '2026-01-01T12:00:00Z', ...fields });

/** The images of the POST number `number` of so many images each. */
const post = (number: number, size: number) =>
  Array.from({ length: size }, (_, at) => image(number * size + at, { version: number * size + at + 1 }));

describe('when an event costs requests to storage', () => {
  it('given the tables are there, then the requests are as in the README', async () => {
    const { deliver } = start();
    await deliver([image(0, { studyUid: '9' })]);
    const costOf = async (event: DicomEvent) => {
      const { calls, reads } = await deliver([event]);
      return { calls: calls.join(', '), reads };
    };
    const counting = 'commit studyinstances, read studies, query studyinstances';
    const further = `${counting}, commit studies`;
    const deleted = image(3, { version: 4, change: 'deleted' } as never);

    expect([
      await costOf(image(1, { version: 1 })),
      await costOf(image(2, { version: 2 })),
      await costOf(image(3, { version: 3 })),
      await costOf(deleted),
    ]).toEqual([
      { calls: `${counting}, commit studies, commit openstudies`, reads: 1 },
      { calls: `${counting}, read openstudies, commit studies`, reads: 1 },
      { calls: further, reads: 1 },
      { calls: `read studyinstances, ${further}`, reads: 0 },
    ]);
  });

  it('given a study of 2,000 images in POSTs of 100, then a tenth of a request an image, two counts and two reads a POST', async () => {
    const { deliver, account } = start();
    const calls: string[] = [];
    let reads = 0;
    for (let number = 0; number < 20; number += 1) {
      const cost = await deliver(post(number, 100));
      calls.push(...cost.calls);
      reads += cost.reads;
    }

    expect(account.tables.inspect('studies').map(({ row }) => row)).toMatchObject([{ instances: 2000, series: 1 }]);
    expect(reads).toBeLessThanOrEqual(40);
    expect(calls.length).toBeLessThanOrEqual(190);
    expect(calls.filter((call) => call === 'commit studies').length).toBeLessThanOrEqual(41);
  });

  it('given ten POSTs of it at once, then their counts are shared', async () => {
    const { deliver, account } = start();

    await Promise.all(Array.from({ length: 10 }, (_, number) => deliver(post(number, 100))));

    const [study] = account.tables.inspect('studies');
    expect(study?.row).toMatchObject({ instances: 1000 });
    expect(study?.row.revision).toBeLessThanOrEqual(20);
  });

  it('given 5,000 images, then the list goes over its pages', async () => {
    const { deliver, account } = start();
    for (let number = 0; number < 10; number += 1) await deliver(post(number, 500));

    const { calls } = await deliver([image(5000, { version: 5001 })]);

    expect(account.tables.inspect('studies').map(({ row }) => row)).toMatchObject([{ instances: 5001 }]);
    expect(calls.filter((call) => call === 'query studyinstances')).toHaveLength(6);
  });
});
