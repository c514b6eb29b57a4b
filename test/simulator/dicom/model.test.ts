import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { fileOf, uids, without } from './files.js';
import { multipartOf, openService } from './open-service.js';

/** A naive service: what is stored, and what has happened, in lists. */
type Image = { partition: string; study: string; series: string; instance: string; patientId: string; number: number };
type Named = { study: string; series: string; instance: string };
type Happened = { change: string; key: string };

type Command =
  | { kind: 'store'; partition: string; images: Named[] }
  | { kind: 'delete'; partition: string; study: string; series: string | undefined; instance: string | undefined }
  | { kind: 'update'; partition: string; studies: string[]; patientId: string };

const PARTITIONS = ['Microsoft.Default', 'clinic'];
const partition = fc.constantFrom(...PARTITIONS);
const study = fc.constantFrom('1.1', '1.2');
const series = fc.constantFrom('1', '2');
const instance = fc.constantFrom('1', '2', '3');

const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      partition,
      images: fc.array(fc.record({ study, series, instance }), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      partition,
      study,
      series: fc.option(series, { nil: undefined }),
      instance: fc.option(instance, { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      partition,
      studies: fc.array(study, { minLength: 1, maxLength: 2 }),
      patientId: fc.constantFrom('P1', 'P2', 'P3'),
    }),
  },
);

const files = new Map<string, Uint8Array>();

function fileFor({ study: ofStudy, series: ofSeries, instance: number }: Named): Uint8Array {
  const uid = `${ofStudy}.${ofSeries}.${number}`;
  const made = files.get(uid) ?? fileOf({ ...uids(ofStudy, `${ofStudy}.${ofSeries}`, uid), ...without('7FE00010') });
  files.set(uid, made);
  return made;
}

const keyOf = (image: Omit<Image, 'patientId' | 'number'>) =>
  [image.partition, image.study, image.series, image.instance].join('/');

describe('when images are stored, deleted and updated at random', () => {
  it('given any sequence, then events, feed, queries and metadata agree with a naive model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { maxLength: 25 }), async (sequence) => {
        const opened = openService();
        let images: Image[] = [];
        const happened: Happened[] = [];
        const record = (change: string, image: Image) => {
          happened.push({ change, key: keyOf(image) });
          image.number = happened.length;
        };

        for (const command of sequence) {
          const root = `partitions/${command.partition}`;
          if (command.kind === 'store') {
            const answer = opened.send('POST', `${root}/studies`, multipartOf(command.images.map(fileFor)));
            const before = images.length;
            for (const of of command.images) {
              const image = { ...of, partition: command.partition, patientId: 'P1', number: 0 };
              if (images.some((one) => keyOf(one) === keyOf(image))) continue;
              images.push(image);
              record('created', image);
            }
            const added = images.length - before;
            expect(answer.status).toBe(added === command.images.length ? 200 : added > 0 ? 202 : 409);
          } else if (command.kind === 'delete') {
            const { study: one, series: two, instance: three } = command;
            const path = [
              `studies/${one}`,
              two && `series/${one}.${two}`,
              two && three && `instances/${one}.${two}.${three}`,
            ];
            const answer = opened.remove(`${root}/${path.filter(Boolean).join('/')}`);
            const gone = images.filter(
              (image) =>
                image.partition === command.partition &&
                image.study === one &&
                (!two || (image.series === two && (!three || image.instance === three))),
            );
            images = images.filter((image) => !gone.includes(image));
            const knownPartition =
              command.partition === 'Microsoft.Default' || happened.some(({ key }) => key.startsWith('clinic/'));
            expect(answer.status).toBe(gone.length > 0 ? 204 : knownPartition ? 404 : 400);
            const order = opened.published.slice(happened.length).map(({ instanceUid }) => instanceUid);
            const uidOf = (image: Image) => `${image.study}.${image.series}.${image.instance}`;
            expect(order.toSorted()).toEqual(gone.map(uidOf).toSorted());
            for (const uid of order) for (const image of gone) if (uidOf(image) === uid) record('deleted', image);
          } else {
            const changeDataset = { '00100020': { vr: 'LO', Value: [command.patientId] } };
            opened.send('POST', `${root}/studies/$bulkUpdate`, {
              body: JSON.stringify({ studyInstanceUids: command.studies, changeDataset }),
            });
            await setImmediate();
            const order = opened.published.slice(happened.length);
            const meant = command.studies.flatMap((uid) =>
              images.filter((image) => image.partition === command.partition && image.study === uid),
            );
            expect(order).toHaveLength(meant.length);
            for (const { partition: inside, studyUid, instanceUid } of order) {
              const image = images.find(
                (one) =>
                  one.partition === inside &&
                  one.study === studyUid &&
                  `${one.study}.${one.series}.${one.instance}` === instanceUid,
              );
              if (!image) throw new Error('an image was updated that is not there');
              image.patientId = command.patientId;
              record('updated', image);
            }
          }
        }

        const published = opened.published.map((change) => ({ change: change.change, key: keyOfChange(change) }));
        expect(published).toEqual(happened);
        expect(opened.published.map(({ sequenceNumber }) => sequenceNumber)).toEqual(happened.map((_, at) => at + 1));
        expect(opened.service.counts.images).toBe(images.length);
        checkFeed(opened, images, happened);
        checkQueries(opened, images);
      }),
      { numRuns: 150 },
    );
  });
});

type Opened = ReturnType<typeof openService>;

function checkFeed({ json, service }: Opened, images: readonly Image[], happened: readonly Happened[]): void {
  const feed: Record<string, string>[] = json('changefeed?includeMetadata=false&limit=200');
  expect(feed).toHaveLength(happened.length);
  for (const [at, entry] of feed.entries()) {
    const { change, key } = happened[at] as Happened;
    const image = images.find((one) => keyOf(one) === key);
    expect(entry.action).toBe({ created: 'create', updated: 'update', deleted: 'delete' }[change]);
    expect(entry.state).toBe(!image ? 'deleted' : image.number === at + 1 ? 'current' : 'replaced');
  }
  for (const image of images) {
    const { partition, study: studyUid } = image;
    const seriesUid = `${studyUid}.${image.series}`;
    const instanceUid = `${seriesUid}.${image.instance}`;
    expect(service.images.image({ partition, studyUid, seriesUid, instanceUid })).toMatchObject({
      sequenceNumber: image.number,
    });
  }
}

function checkQueries({ json }: Opened, images: readonly Image[]): void {
  for (const name of PARTITIONS) {
    const here = images.filter((image) => image.partition === name);
    if (name !== 'Microsoft.Default' && here.length === 0) continue;
    const found: Record<string, { Value: string[] }>[] = json(`partitions/${name}/instances?limit=200`) ?? [];
    expect(found.map((one) => one['00080018']?.Value[0])).toEqual(
      here.toSorted((a, b) => b.number - a.number).map((one) => `${one.study}.${one.series}.${one.instance}`),
    );
    expect(found.map((one) => one['00100020']?.Value[0])).toEqual(
      here.toSorted((a, b) => b.number - a.number).map(({ patientId }) => patientId),
    );
    const studies: Record<string, { Value: unknown[] }>[] =
      json(`partitions/${name}/studies?includefield=NumberOfStudyRelatedInstances`) ?? [];
    expect(Object.fromEntries(studies.map((one) => [one['0020000D']?.Value[0], one['00201208']?.Value[0]]))).toEqual(
      Object.fromEntries(
        [...new Set(here.map((image) => image.study))].map((uid) => [
          uid,
          here.filter((image) => image.study === uid).length,
        ]),
      ),
    );
  }
}

function keyOfChange(change: { partition: string; studyUid: string; seriesUid: string; instanceUid: string }): string {
  const last = (uid: string) => uid.split('.').at(-1);
  return [change.partition, change.studyUid, last(change.seriesUid), last(change.instanceUid)].join('/');
}
