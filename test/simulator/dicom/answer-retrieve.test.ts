import dicomParser from 'dicom-parser';
import {
  attributesOf,
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  fileOf,
  IMPLICIT,
  JPEG,
  readFile,
  uids,
  without,
  writeFile,
} from './files.js';
import { bytesOf, jsonOf, openService, partsOf } from './open-service.js';

const STUDY = 'studies/1.2.3.4';
const SERIES = `${STUDY}/series/1.2.3.4.5`;
const INSTANCE = `${SERIES}/instances/1.2.3.4.5.100`;
const AS_STORED = { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };

const second = fileOf(uids('1.2.3.4', '1.2.3.4.5', '1.2.3.4.5.101'));
const third = fileOf(uids('1.2.3.4', '1.2.3.4.6', '1.2.3.4.6.100'));

function openThree() {
  const opened = openService();
  opened.store([fileOf(), second, third]);
  return opened;
}

describe('when files are retrieved', () => {
  it.each([
    { what: 'a study', path: STUDY, files: [fileOf(), second, third] },
    { what: 'a series', path: SERIES, files: [fileOf(), second] },
    { what: 'an image', path: INSTANCE, files: [fileOf()] },
  ])('given $what, then each file comes as it was stored, byte for byte', ({ path, files }) => {
    const { get } = openThree();

    const answer = get(path, AS_STORED);

    expect(answer.status).toBe(200);
    const parts = partsOf(answer);
    expect(parts.map(({ type }) => type)).toEqual(files.map(() => `application/dicom; transfer-syntax=${EXPLICIT}`));
    expect(parts.map(({ content }) => Buffer.from(content).equals(content))).not.toContain(false);
    expect(parts.map(({ content }) => content)).toEqual(files);
  });

  it.each([
    { accept: 'application/dicom; transfer-syntax=*', type: `application/dicom; transfer-syntax=${EXPLICIT}` },
    { accept: 'application/dicom', type: `application/dicom; transfer-syntax=${EXPLICIT}` },
    { accept: 'image/png, application/dicom;q=0.5', type: `application/dicom; transfer-syntax=${EXPLICIT}` },
    { accept: '*/*', type: 'multipart/related' },
    { accept: 'multipart/related; type="application/dicom"', type: 'multipart/related' },
    { accept: 'application/dicom;q=0.1, multipart/related;type=application/dicom', type: 'multipart/related' },
  ])('given an image is accepted as $accept, then it comes as $type', ({ accept, type }) => {
    const { get } = openThree();

    const answer = get(INSTANCE, { accept });

    expect(answer.status).toBe(200);
    expect(answer.headers?.['content-type']?.startsWith(type)).toBe(true);
    const [content] = type === 'multipart/related' ? partsOf(answer).map((part) => part.content) : [bytesOf(answer)];
    expect(content).toEqual(fileOf());
  });

  it.each([
    { path: INSTANCE, accept: 'image/png' },
    { path: INSTANCE, accept: 'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.100' },
    { path: INSTANCE, accept: 'application/octet-stream' },
    { path: STUDY, accept: 'application/dicom; transfer-syntax=*' },
    { path: SERIES, accept: 'multipart/related; type="image/jpeg"' },
    { path: INSTANCE, accept: 'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90' },
  ])('given $accept is accepted of $path, then the answer is 406', ({ path, accept }) => {
    expect(openThree().get(path, { accept }).status).toBe(406);
  });

  it('given pixels compressed in another way than the request accepts, then the answer says how to get the file', () => {
    const { store, get } = openService();
    const pixels = { '7FE00010': { vr: 'OB', Value: [Uint8Array.of(1, 2, 3, 4).buffer] } };
    store([fileOf(pixels, JPEG)]);

    const answer = get(INSTANCE, { accept: 'application/dicom' });

    expect(answer.status).toBe(406);
    expect(answer.body).toMatch(/1\.2\.840\.10008\.1\.2\.4\.50, .*1\.2\.840\.10008\.1\.2\.1; .*transfer-syntax=\*/);
    const both = { accept: 'application/dicom, application/dicom;q=0.5;transfer-syntax=*' };
    expect(bytesOf(get(INSTANCE, both))).toEqual(fileOf(pixels, JPEG));
  });

  it.each([IMPLICIT, BIG_ENDIAN, DEFLATED])(
    'given a file stored in %s, then it is converted unless the request accepts any syntax',
    (syntax) => {
      const { store, get } = openService();
      const numbers = {
        '00186032': { vr: 'UL', Value: [4_000_000_000] },
        '00189087': { vr: 'FD', Value: [0.125] },
        '00280009': { vr: 'AT', Value: [0x00181063] },
      };
      // dcmjs does not change the order of bytes in pixels.
      const pixels = { '7FE00010': { vr: 'OW', Value: [Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4).buffer] } };
      const stored = fileOf(syntax === BIG_ENDIAN ? { ...numbers, ...pixels } : numbers, syntax);
      store([stored]);

      const answer = get(INSTANCE, { accept: 'application/dicom' });

      expect(answer.headers?.['content-type']).toBe(`application/dicom; transfer-syntax=${EXPLICIT}`);
      expect(readFile(bytesOf(answer))).toEqual(readFile(fileOf(numbers)));
      expect(dicomParser.parseDicom(bytesOf(answer)).string('x00020010')).toBe(EXPLICIT);
      expect(bytesOf(get(INSTANCE, { accept: 'application/dicom; transfer-syntax=*' }))).toEqual(stored);
      const accept = 'multipart/related; type="application/octet-stream"';
      expect(partsOf(get(`${INSTANCE}/frames/1`, { accept })).map(({ content }) => [...content])).toEqual([
        [1, 0, 2, 0, 3, 0, 4, 0],
      ]);
    },
  );

  it.each([
    { path: 'studies/1.9', status: 404 },
    { path: `${STUDY}/series/1.9`, status: 404 },
    { path: `${SERIES}/instances/1.9`, status: 404 },
    { path: 'studies/abc', status: 400 },
    { path: `${STUDY}/series/1..`, status: 400 },
    { path: 'studies/%', status: 400 },
  ])('given $path, then the answer is $status', ({ path, status }) => {
    expect(openThree().get(path, AS_STORED).status).toBe(status);
    expect(openThree().get(`${path}/metadata`).status).toBe(status);
    if (path !== 'studies/%') expect(openThree().remove(path).status).toBe(status);
  });
});

describe('when metadata is retrieved', () => {
  it.each([
    { path: STUDY, images: 3 },
    { path: SERIES, images: 2 },
    { path: INSTANCE, images: 1 },
  ])('given $path, then it is of $images images', ({ path, images }) => {
    const { get } = openThree();

    const answer = get(`${path}/metadata`, { accept: 'application/dicom+json' });

    expect(answer.status).toBe(200);
    expect(answer.headers?.['content-type']).toBe('application/dicom+json; charset=utf-8');
    expect(jsonOf(answer)).toHaveLength(images);
  });

  it('given binary values, then metadata leaves them out, and the rest is in the order of tags', () => {
    const { store, json } = openService();
    store([fileOf({ '00420011': { vr: 'OB', Value: [Uint8Array.of(1, 2).buffer] } })]);

    const [metadata] = json(`${INSTANCE}/metadata`);

    expect(metadata['7FE00010']).toBeUndefined();
    expect(metadata['00420011']).toBeUndefined();
    expect(Object.keys(metadata)).toEqual(Object.keys(metadata).toSorted());
    expect(metadata['00020010']).toBeUndefined();
    expect(metadata['00100010']).toEqual({ vr: 'PN', Value: [{ Alphabetic: 'Doe^John' }] });
  });

  it('given a second request with the ETag, then the metadata is sent again only after a change', () => {
    const { get, remove } = openThree();
    const { etag = '' } = get(`${SERIES}/metadata`).headers ?? {};

    expect(etag).toBe('2-2');
    expect(get(`${SERIES}/metadata`, { 'if-none-match': etag }).status).toBe(304);
    remove(`${SERIES}/instances/1.2.3.4.5.101`);
    expect(get(`${SERIES}/metadata`, { 'if-none-match': etag }).status).toBe(200);
    expect(get(`${INSTANCE}/metadata`).headers?.etag).toBe('1');
  });

  it('given XML is accepted, then the answer is 406', () => {
    expect(openThree().get(`${STUDY}/metadata`, { accept: 'application/dicom+xml' }).status).toBe(406);
  });
});

describe('when frames are retrieved', () => {
  const native = {
    '00280008': { vr: 'IS', Value: ['3'] },
    '7FE00010': { vr: 'OW', Value: [Uint8Array.from({ length: 24 }, (_, at) => at).buffer] },
  };
  const jpegs = [Uint8Array.of(0xff, 0xd8, 1, 1), Uint8Array.of(0xff, 0xd8, 2, 2, 2, 2), Uint8Array.of(0xff, 0xd8)];
  const compressed = { ...native, '7FE00010': { vr: 'OB', Value: jpegs.map((jpeg) => jpeg.buffer) } };

  it('given native pixels, then each frame comes in a part', () => {
    const { store, get } = openService();
    store([fileOf(native)]);

    const answer = get(`${INSTANCE}/frames/3,1`, { accept: 'multipart/related; type="application/octet-stream"' });

    expect(answer.status).toBe(200);
    const type = `application/octet-stream; transfer-syntax=${EXPLICIT}`;
    expect(partsOf(answer)).toEqual([
      { type, content: Uint8Array.of(16, 17, 18, 19, 20, 21, 22, 23) },
      { type, content: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) },
    ]);
  });

  it('given one frame, accepted as a single part, then the frame is the whole body', () => {
    const { store, get } = openService();
    store([fileOf(native)]);

    const answer = get(`${INSTANCE}/frames/2`, { accept: 'application/octet-stream; transfer-syntax=*' });

    expect([...bytesOf(answer)]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(get(`${INSTANCE}/frames/1,2`, { accept: 'application/octet-stream' }).status).toBe(400);
  });

  it('given compressed pixels, then each frame comes as it is in the file', () => {
    const { store, get } = openService();
    store([fileOf(compressed, JPEG)]);

    const frames = (list: string, accept: string) => get(`${INSTANCE}/frames/${list}`, { accept });
    const answer = frames('1,2,3', 'multipart/related; type="application/octet-stream"; transfer-syntax=*');

    expect(partsOf(answer).map(({ content }) => [...content])).toEqual(jpegs.map((jpeg) => [...jpeg]));
    expect(partsOf(answer)[0]?.type).toBe(`application/octet-stream; transfer-syntax=${JPEG}`);
    expect(frames('1', 'multipart/related; type="application/octet-stream"').status).toBe(406);
    expect(frames('1', 'multipart/related; type="image/jpeg"').status).toBe(406);
  });

  it.each([
    { given: 'an offset table', offsets: [0, 20], fragments: '1 2,3 4,5 6 7 8', frames: ['1 2 3 4', '5 6 7 8'] },
    { given: 'one frame', offsets: [], fragments: '1 2,3 4', frames: ['1 2 3 4'] },
  ])('given several fragments a frame, and $given, then each frame has its own', ({ offsets, fragments, frames }) => {
    const { store, get } = openService();
    store([withFragments(offsets, fragments, frames.length)]);

    const answer = get(`${INSTANCE}/frames/${frames.map((_, n) => n + 1)}`);

    expect(partsOf(answer).map(({ content }) => content.join(' '))).toEqual(frames);
  });

  it('given frames of several fragments without an offset table, then the answer says so', () => {
    const { store, get } = openService();
    store([withFragments([], '1 2,3 4,5 6', 2)]);

    const answer = get(`${INSTANCE}/frames/1`);

    expect(answer.status).toBe(406);
    expect(answer.body).toMatch(/3 fragments .* 2 frames/);
  });

  it('given pixels of one bit, then a frame can begin within a byte', () => {
    const { store, get } = openService();
    const bits = {
      '00280008': { vr: 'IS', Value: ['2'] },
      '00280100': { vr: 'US', Value: [1] },
      '7FE00010': { vr: 'OB', Value: [Uint8Array.of(0b1010_0101, 0).buffer] },
    };
    store([fileOf(bits)]);

    const first = partsOf(get(`${INSTANCE}/frames/1,2`)).map(({ content }) => (content[0] ?? 0) & 0b1111);
    expect(first).toEqual([0b0101, 0b1010]);
  });

  it('given colours that two pixels share, then a frame has fewer bytes', () => {
    const { store, get } = openService();
    const shared = {
      '00280002': { vr: 'US', Value: [3] },
      '00280004': { vr: 'CS', Value: ['YBR_FULL_422'] },
      '00280100': { vr: 'US', Value: [8] },
      '7FE00010': { vr: 'OB', Value: [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer] },
    };
    store([fileOf(shared)]);

    expect(partsOf(get(`${INSTANCE}/frames/1`)).map(({ content }) => content.length)).toEqual([8]);
  });

  it.each([
    { given: 'a frame beyond the last', list: '4', status: 404 },
    { given: 'frame 0', list: '0', status: 400 },
    { given: 'a negative one among them', list: '1,-1', status: 400 },
    { given: 'a word', list: 'first', status: 400 },
    { given: 'an escaped comma', list: '1%2C2', status: 200 },
  ])('given $given, then the answer is $status', ({ list, status }) => {
    const { store, get } = openService();
    store([fileOf(native)]);

    expect(get(`${INSTANCE}/frames/${list}`).status).toBe(status);
  });

  it.each([
    { given: 'no pixels', changed: without('7FE00010'), status: 404 },
    { given: 'fewer pixels than are announced', changed: { '00280010': { vr: 'US', Value: [500] } }, status: 406 },
  ])('given $given, then the answer is $status', ({ changed, status }) => {
    const { store, get } = openService();
    store([fileOf(changed)]);

    expect(get(`${INSTANCE}/frames/1`).status).toBe(status);
  });

  it('given no such image, then the answer is 404', () => {
    expect(openService().get(`${INSTANCE}/frames/1`).status).toBe(404);
  });
});

describe('when images are deleted', () => {
  it.each([
    { what: 'a study', path: STUDY, deleted: ['1.2.3.4.5.100', '1.2.3.4.5.101', '1.2.3.4.6.100'] },
    { what: 'a series', path: SERIES, deleted: ['1.2.3.4.5.100', '1.2.3.4.5.101'] },
    { what: 'an image', path: INSTANCE, deleted: ['1.2.3.4.5.100'] },
  ])('given $what, then each of its images is gone, and its deletion published', ({ path, deleted }) => {
    const { get, remove, published, service } = openThree();

    const answer = remove(path);

    expect(answer.status).toBe(204);
    expect(published.slice(3).map(({ change, instanceUid }) => [change, instanceUid])).toEqual(
      deleted.map((uid) => ['deleted', uid]),
    );
    expect(published.slice(3).map(({ sequenceNumber }) => sequenceNumber)).toEqual(deleted.map((_, at) => 4 + at));
    expect(get(path, AS_STORED).status).toBe(404);
    expect(remove(path).status).toBe(404);
    expect(service.counts.images).toBe(3 - deleted.length);
    expect(published).toHaveLength(3 + deleted.length);
  });

  it('given the last image of a study, then nothing is left of it', () => {
    const { store, remove, service, get } = openService();
    store([fileOf()]);

    remove(INSTANCE);

    expect(service.counts).toEqual({ partitions: 1, studies: 0, series: 0, images: 0, bytes: 0 });
    expect(get('studies').status).toBe(204);
  });
});

describe('when a file of implicit VR is retrieved', () => {
  it('given a value that is too long for its VR where that is explicit, then it is converted to an unknown one', () => {
    const { store, get } = openService();
    const comment = 'x'.repeat(70_000);
    store([fileOf({ '00104000': { vr: 'LT', Value: [comment] } }, IMPLICIT)]);

    const { elements } = dicomParser.parseDicom(bytesOf(get(INSTANCE, { accept: 'application/dicom' })));

    expect(elements.x00104000).toMatchObject({ vr: 'UN', length: 70_000 });
    expect(elements.x0020000d).toBeDefined();
  });

  it('given private attributes, then metadata leaves them out, and the file has them', () => {
    const { store, json, get } = openService();
    const file = writeFile(attributesOf({ '00091001': { vr: 'LO', Value: ['private'] } }), IMPLICIT);
    store([file]);

    expect(json(`${INSTANCE}/metadata`)[0]['00091001']).toBeUndefined();
    const answer = get(INSTANCE, { accept: 'application/dicom; transfer-syntax=*' });
    expect(dicomParser.parseDicom(bytesOf(answer)).string('x00091001')).toBe('private');
  });
});

/** dcmjs writes one fragment a frame: this one gets others, such as `1 2,3 4`. */
function withFragments(offsets: readonly number[], fragments: string, frames: number): Uint8Array {
  const pixels = { '7FE00010': { vr: 'OB', Value: [new ArrayBuffer(2)] } };
  const file = fileOf({ '00280008': { vr: 'IS', Value: [String(frames)] }, ...pixels }, JPEG);
  const head = file.subarray(0, dicomParser.parseDicom(file).elements.x7fe00010?.dataOffset);
  const item = (bytes: readonly number[]) => [0xfe, 0xff, 0x00, 0xe0, bytes.length, 0, 0, 0, ...bytes];
  const table = item(offsets.flatMap((offset) => [offset, 0, 0, 0]));
  const items = fragments.split(',').flatMap((bytes) => item(bytes.split(' ').map(Number)));
  return new Uint8Array([...head, ...table, ...items, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
}
