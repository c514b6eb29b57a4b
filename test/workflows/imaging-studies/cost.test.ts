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
    /** What delivering `events` has cost. */
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

describe('when an event costs requests to storage', () => {
  it('given the tables are there, then the requests are as in the README', async () => {
    const { deliver } = start();
    await deliver([image(0, { studyUid: '9' })]);

    const first = [
      'commit studyinstances',
      'read studies',
      'query studyinstances',
      'commit studies',
      'commit openstudies',
    ];
    expect(await deliver([image(1, { version: 1 })])).toEqual({ calls: first, reads: 1 });

    const second = [
      'commit studyinstances',
      'read studies',
      'query studyinstances',
      'read openstudies',
      'read studies',
      'commit studies',
    ];
    expect(await deliver([image(2, { version: 2 })])).toEqual({ calls: second, reads: 1 });

    const further = ['commit studyinstances', 'read studies', 'query studyinstances', 'read studies', 'commit studies'];
    expect(await deliver([image(3, { version: 3 })])).toEqual({ calls: further, reads: 1 });

    const deleted = await deliver([image(3, { version: 4, change: 'deleted' } as never)]);
    expect(deleted).toEqual({ calls: ['read studyinstances', ...further], reads: 0 });
  });

  it('given a study of 2,000 images in POSTs of 100, then a tenth of a request an image, two counts and two reads a POST', async () => {
    const { deliver, account } = start();
    const calls: string[] = [];
    let reads = 0;
    for (let post = 0; post < 20; post += 1) {
      const events = Array.from({ length: 100 }, (_, at) => image(post * 100 + at, { version: post * 100 + at + 1 }));
      const cost = await deliver(events);
      calls.push(...cost.calls);
      reads += cost.reads;
    }

    expect(account.tables.inspect('studies').map(({ row }) => row)).toMatchObject([{ instances: 2000, series: 1 }]);
    expect(reads).toBeLessThanOrEqual(40);
    expect(calls.length).toBeLessThanOrEqual(230);
    expect(calls.filter((call) => call === 'commit studies').length).toBeLessThanOrEqual(41);
  });

  it('given ten POSTs of it at once, then their counts are shared', async () => {
    const { deliver, account } = start();

    const posts = Array.from({ length: 10 }, (_, post) =>
      Array.from({ length: 100 }, (_, at) => image(post * 100 + at, { version: post * 100 + at + 1 })),
    );
    await Promise.all(posts.map((events) => deliver(events)));

    const [study] = account.tables.inspect('studies');
    expect(study?.row).toMatchObject({ instances: 1000 });
    expect(study?.row.revision).toBeLessThanOrEqual(20);
  });

  it('given 5,000 images, then the list goes over its pages', async () => {
    const { deliver, account } = start();
    for (let post = 0; post < 10; post += 1) {
      await deliver(Array.from({ length: 500 }, (_, at) => image(post * 500 + at, { version: post * 500 + at + 1 })));
    }

    const { calls } = await deliver([image(5000, { version: 5001 })]);

    expect(account.tables.inspect('studies').map(({ row }) => row)).toMatchObject([{ instances: 5001 }]);
    expect(calls.filter((call) => call === 'query studyinstances')).toHaveLength(6);
  });
});
