import { deflateRawSync } from 'node:zlib';
import { readPart10 } from '../../../src/simulator/dicom/read-part10.js';
import { toDataset } from '../../../src/simulator/dicom/to-dataset.js';
import { writePart10 } from '../../../src/simulator/dicom/write-part10.js';
import { attributesOf, DEFLATED, fileOf, IMPLICIT, JPEG, metaEnd, readFile, writeFile } from './files.js';

/** A file of explicit VR whose data set is given: numbers and lists are bytes, text is ASCII. */
function fileWith(...dataSet: readonly (number | readonly number[] | string | Uint8Array)[]): Uint8Array {
  const file = fileOf();
  const bytes = dataSet.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string)));
  return new Uint8Array(Buffer.concat([file.subarray(0, metaEnd(file)), ...bytes]));
}

const NO_LENGTH = Buffer.alloc(4, 0xff);
const ZERO = Buffer.alloc(4);

const FRAGMENTS = { '7FE00010': { vr: 'OB', Value: [new ArrayBuffer(16)] } };

const datasetOf = (file: Uint8Array) => {
  const part10 = readPart10(file);
  if ('problem' in part10) throw new Error(part10.problem);
  return toDataset(part10);
};

describe('when a file is read', () => {
  it.each([
    { given: 'Latin-1', set: 'ISO_IR 100', bytes: [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72], text: 'Müller' },
    { given: 'Cyrillic', set: 'ISO_IR 144', bytes: [0xbb, 0xee, 0xda, 0x63], text: 'Люкc' },
    { given: 'Greek', set: 'ISO_IR 126', bytes: [0xc4, 0xe9, 0xef, 0xed], text: 'Διον' },
    { given: 'UTF-8', set: 'ISO_IR 192', bytes: [0xe7, 0x8e, 0x8b, 0x5e, 0xe5, 0xb0], text: '王^�' },
    { given: 'GB18030', set: 'GB18030', bytes: [0xcd, 0xf5, 0x5e, 0x41], text: '王^A' },
    {
      given: 'Japanese with escapes',
      set: '\\ISO 2022 IR 87',
      bytes: [0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x1b, 0x28, 0x42, 0x5e, 0x41],
      text: '山田^A',
    },
    { given: 'Korean', set: '\\ISO 2022 IR 149', bytes: [0x1b, 0x24, 0x29, 0x43, 0xb1, 0xe8], text: '김' },
    { given: 'an unknown set', set: 'ISO_IR 999', bytes: [0x4d, 0xfc], text: 'Mü' },
  ])('given text in $given, then the text is decoded', ({ set, bytes, text }) => {
    const padded = set.length % 2 === 0 ? set : `${set} `;
    const characterSet = [[8, 0, 5, 0], 'CS', [padded.length, 0], padded];
    const file = fileWith(...characterSet, [0x10, 0, 0x20, 0], 'LO', [bytes.length, 0], bytes);

    expect(datasetOf(file)['00100020']).toEqual({ vr: 'LO', Value: [text] });
  });

  it('given a name in three scripts, then each has its property', () => {
    const file = writeFile(attributesOf({ '00100010': { vr: 'PN', Value: ['Yamada^Tarou=Y^T=ya^ta'] } }));

    expect(datasetOf(file)['00100010']?.Value).toEqual([
      { Alphabetic: 'Yamada^Tarou', Ideographic: 'Y^T', Phonetic: 'ya^ta' },
    ]);
  });

  it('given numbers of every kind, then they are read as they were written', () => {
    const numbers = {
      '00089215': { vr: 'SQ', Value: [{ '00189219': { vr: 'SS', Value: [-5] } }] },
      '00186020': { vr: 'SL', Value: [-70_000] },
      '00186032': { vr: 'UL', Value: [4_000_000_000] },
      '00189087': { vr: 'FD', Value: [0.125, -1e300] },
      '00189461': { vr: 'FL', Value: [1.5] },
      '00280009': { vr: 'AT', Value: ['00181063'] },
    };

    expect(datasetOf(writePart10(numbers))).toEqual(numbers);
  });

  it.each([
    { signed: 0, vr: 'US', value: 65_535 },
    { signed: 1, vr: 'SS', value: -1 },
  ])('given implicit VR and pixels with sign $signed, then the smallest of them is $vr', ({ signed, vr, value }) => {
    const file = fileOf(
      { '00280103': { vr: 'US', Value: [signed] }, '00280106': { vr: 'US', Value: [65_535] } },
      IMPLICIT,
    );

    expect(datasetOf(file)['00280106']).toEqual({ vr, Value: [value] });
  });

  it('given implicit VR, then repeating groups and private creators are known, and other private ones are not', () => {
    const ofVendor = { '00090010': { vr: 'LO', Value: ['ACME'] }, '00091001': { vr: 'LO', Value: ['private'] } };
    const dataset = datasetOf(fileOf({ ...ofVendor, '60020010': { vr: 'US', Value: [5] } }, IMPLICIT));

    expect(dataset['00090010']).toEqual({ vr: 'LO', Value: ['ACME'] });
    expect(dataset['00091001']).toBeUndefined();
    expect(dataset['60020010']).toEqual({ vr: 'US', Value: [5] });
  });

  it('given a sequence that is written as unknown, then it is known by its tag', () => {
    const item = [0xfe, 0xff, 0, 0xe0, 12, 0, 0, 0, 8, 0, 0x55, 0x11, 4, 0, 0, 0, '1.2\0'];
    const unknown = ['UN', 0, 0, NO_LENGTH, ...item, 0xfe, 0xff, 0xdd, 0xe0, ZERO];

    expect(datasetOf(fileWith(8, 0, 0x40, 0x11, ...unknown))).toEqual({
      '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }] },
    });
    expect(datasetOf(fileWith(9, 0, 0x40, 0x11, ...unknown))).toEqual({});
  });

  it('given values of 64 bits, then the elements after them are read right', () => {
    const value = [[0xe0, 0x7f, 1, 0], 'OV', [0, 0, 8, 0, 0, 0], Buffer.alloc(8)];
    const file = fileWith(...value, [0xe0, 0x7f, 0x20, 0], 'LO', [2, 0], 'ab');

    expect(datasetOf(file)).toEqual({ '7FE00020': { vr: 'LO', Value: ['ab'] } });
  });

  it('given sequences of undefined length and group lengths, then the sequences are read, and group lengths left out', () => {
    const groupLength = [[8, 0, 0, 0], 'UL', [4, 0, 1, 0, 0, 0]];
    const item = [[0xfe, 0xff, 0, 0xe0], NO_LENGTH, [8, 0, 0x55, 0x11], 'UI', [4, 0], '1.2\0'];
    const ends = [[0xfe, 0xff, 0x0d, 0xe0], ZERO, [0xfe, 0xff, 0xdd, 0xe0], ZERO];
    const sequence = [[8, 0, 0x40, 0x11], 'SQ', [0, 0], NO_LENGTH, ...item, ...ends];
    const file = fileWith(...groupLength, ...sequence, [0x10, 0, 0x20, 0], 'LO', [2, 0], 'ab');

    expect(datasetOf(file)).toEqual({
      '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] } }] },
      '00100020': { vr: 'LO', Value: ['ab'] },
    });
  });

  it.each([
    { given: 'nothing', file: new Uint8Array() },
    { given: '200 zeros', file: new Uint8Array(200) },
    { given: 'meta information alone', file: fileOf().subarray(0, metaEnd(fileOf())) },
    { given: 'an element that goes on after the end', file: fileWith(0x10, 0, 0x20, 0, 'LO', 200, 0, 'ab') },
    {
      given: 'four gigabytes in one element',
      file: fileWith(0xe0, 0x7f, 0x10, 0, 'OW', 0, 0, Buffer.of(0xfe, 0xff, 0xff, 0xff)),
    },
    { given: 'a cut off value in implicit VR', file: fileOf({}, IMPLICIT).subarray(0, -3) },
    { given: 'a cut off fragment', file: fileOf(FRAGMENTS, JPEG).subarray(0, -10) },
    { given: 'a file that inflates to 70 MB', file: inflatingTo(70) },
    { given: 'bytes where a VR belongs', file: fileWith(0x10, 0, 0x20, 0, Buffer.of(1, 2), 2, 0, 'ab') },
    { given: 'sequences a thousand deep', file: fileWith(nested(1000)) },
    { given: 'sequences a hundred thousand deep', file: fileWith(nested(100_000)) },
  ])('given $given, then the result is the problem of the file', ({ file }) => {
    expect(readPart10(file)).toEqual({ problem: expect.stringMatching(/^It is not a whole DICOM file: .{10}/) });
  });

  it('given sequences 50 deep, then they are read', () => {
    expect(JSON.stringify(datasetOf(fileWith(nested(50)))).match(/00081140/g)).toHaveLength(50);
  });
});

describe('when a file is written', () => {
  it('given every kind of value, then another library reads the same', () => {
    const dataset = {
      '00080018': { vr: 'UI', Value: ['1.2.3'] },
      '00080020': { vr: 'DA', Value: ['20250131'] },
      '00081140': {
        vr: 'SQ',
        Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3.4'] } }, { '00081155': { vr: 'UI', Value: ['1.2'] } }],
      },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller' }] },
      '00104000': { vr: 'LT', Value: ['odd'] },
      '0020000e': { vr: 'UI', Value: ['1.2'] },
      '00200013': { vr: 'IS', Value: [7] },
      '00280010': { vr: 'US', Value: [512] },
      '00280030': { vr: 'DS', Value: [0.5, 0.25] },
      '00420011': { vr: 'OB', InlineBinary: 'AQID' },
      '7FE00010': { vr: 'OW', Value: [Uint8Array.of(1, 2, 3, 4)] },
    };

    const found = readFile(writePart10(dataset));

    expect(found).toMatchObject({
      '00080005': { Value: ['ISO_IR 192'] },
      '00080018': { Value: ['1.2.3'] },
      '00100010': { Value: [{ Alphabetic: 'Müller' }] },
      '00104000': { Value: ['odd'] },
      '0020000E': { Value: ['1.2'] },
      '00200013': { Value: [7] },
      '00280010': { Value: [512] },
      '00280030': { Value: [0.5, 0.25] },
      '00420011': { Value: ['AQIDAA=='] },
      '7FE00010': { Value: ['AQIDBA=='] },
    });
    expect(found['00081140']?.Value).toHaveLength(2);
    expect(Buffer.from(writePart10(dataset)).includes('1.2.3\0')).toBe(true);
  });

  it('given a value that its VR cannot hold, then the error names the tag and the length', () => {
    expect(() => writePart10({ '00100020': { vr: 'LO', Value: ['x'.repeat(70_000)] } })).toThrow(/00100020 .* 70000/);
  });
});

/** A deflated file with one value of so many megabytes, all zero. */
function inflatingTo(megabytes: number): Uint8Array {
  const file = fileOf({}, DEFLATED);
  const value = Buffer.alloc(megabytes * 1024 * 1024);
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(value.length, 8);
  return Buffer.concat([file.subarray(0, metaEnd(file)), deflateRawSync(Buffer.concat([header, value]), { level: 1 })]);
}

/** Sequences within each other, of undefined length. */
function nested(depth: number): Uint8Array {
  const begin = Buffer.from([
    8,
    0,
    0x40,
    0x11,
    ...Buffer.from('SQ\0\0'),
    ...NO_LENGTH,
    0xfe,
    0xff,
    0,
    0xe0,
    ...NO_LENGTH,
  ]);
  const end = Buffer.from([0xfe, 0xff, 0x0d, 0xe0, ...ZERO, 0xfe, 0xff, 0xdd, 0xe0, ...ZERO]);
  return Buffer.concat([...Array<Uint8Array>(depth).fill(begin), ...Array<Uint8Array>(depth).fill(end)]);
}
