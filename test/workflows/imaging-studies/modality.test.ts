import { dicomEvent } from '../../../src/testing/index.js';
import type { DicomEvent, DicomJson, DicomReader } from '../../../src/workflow.js';
import { createFindModality } from '../../../src/workflows/imaging-studies/modality.js';

const imageOf = (modality: unknown): DicomJson => ({ '00080060': { vr: 'CS', Value: [modality] } });

/** Finds modalities; `read` has the images whose reads found `found`, or failed with it, in order. */
function start() {
  const read: string[] = [];
  const findModality = createFindModality();
  const find = (image: DicomEvent, name: string, found: DicomJson | Error | undefined) => {
    const instance = async () => {
      read.push(name);
      if (found instanceof Error) throw found;
      return found;
    };
    return findModality(image, { instance } as unknown as DicomReader);
  };
  return { read, find };
}

const event = (instance: number, series = 1) =>
  dicomEvent({ seriesUid: `1.${series}`, instanceUid: `1.${series}.${instance}` });

describe('when images need the modality of their series', () => {
  it('given a hundred images that come together, then one read serves them all', async () => {
    const { find, read } = start();

    const found = await Promise.all(Array.from({ length: 100 }, (_, at) => find(event(at), `${at}`, imageOf('CT'))));

    expect(new Set(found)).toEqual(new Set(['CT']));
    expect(read).toEqual(['0']);
  });

  it('given others that come during the read, then another read serves them, because this read may be too old', async () => {
    const { find, read } = start();

    const first = find(event(1), 'first', imageOf('OT'));
    await Promise.resolve();
    expect(read).toEqual(['first']);
    const later = [2, 3].map((at) => find(event(at), 'later', imageOf('CT')));

    expect([await first, ...(await Promise.all(later))]).toEqual(['OT', 'CT', 'CT']);
    expect(read).toEqual(['first', 'later']);
  });

  it('given two series, then each is read', async () => {
    const { find } = start();

    const found = await Promise.all([find(event(1, 1), 'a', imageOf('CT')), find(event(1, 2), 'b', imageOf('MR'))]);

    expect(found).toEqual(['CT', 'MR']);
  });

  it('given the image of the shared read is gone, then each job reads its own', async () => {
    const { find, read } = start();

    const found = await Promise.all([
      find(event(1), 'gone', undefined),
      find(event(2), 'gone too', undefined),
      find(event(3), 'there', imageOf('CT')),
    ]);

    expect(found).toEqual([undefined, undefined, 'CT']);
    expect(read).toEqual(['gone', 'gone too', 'there']);
  });

  it('given images that come one after the other, then each is read: the series may have been recreated', async () => {
    const { find } = start();

    expect(await find(event(1), 'old', imageOf('OT'))).toBe('OT');
    expect(await find(event(2), 'new', imageOf('CT'))).toBe('CT');
  });

  it('given a read that fails, then its job fails, and the others read again', async () => {
    const { find } = start();

    const asked = [
      find(event(1), 'first', new Error('down')),
      find(event(2), 'second', imageOf('CT')),
      find(event(3), 'third', imageOf('CT')),
    ];

    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });

  it.each([
    { given: 'no such attribute', image: {} },
    { given: 'an empty one', image: imageOf('') },
    { given: 'none but spaces', image: imageOf('  ') },
    { given: 'a number', image: imageOf(7) },
    { given: 'no value', image: { '00080060': { vr: 'CS' } } },
  ])('given $given, then the image has no modality', async ({ image }) => {
    expect(await start().find(event(1), 'a', image as DicomJson)).toBeUndefined();
  });
});
