import { deflateRawSync } from 'node:zlib';
import dcmjs from 'dcmjs';

/** dcmjs writes the files, so that the simulator's own code does not test itself. */

export type Attributes = Record<string, { vr: string; Value?: unknown[] }>;

export const EXPLICIT = '1.2.840.10008.1.2.1';
export const IMPLICIT = '1.2.840.10008.1.2';
export const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';
export const JPEG = '1.2.840.10008.1.2.4.50';

export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';

dcmjs.log.getLogger('validation.dcmjs').setLevel('silent');

/** An image of a patient, four pixels large, as modalities make them. */
export function attributesOf(changed: Attributes = {}): Attributes {
  return {
    '00080016': { vr: 'UI', Value: [CT_IMAGE] },
    '00080018': { vr: 'UI', Value: ['1.2.3.4.5.100'] },
    '00080020': { vr: 'DA', Value: ['20250131'] },
    '00080030': { vr: 'TM', Value: ['101500'] },
    '00080050': { vr: 'SH', Value: ['A100'] },
    '00080060': { vr: 'CS', Value: ['CT'] },
    '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Referring^Rita' }] },
    '00081030': { vr: 'LO', Value: ['Head'] },
    '00081090': { vr: 'LO', Value: ['Scanner 5'] },
    '00081140': {
      vr: 'SQ',
      Value: [
        { '00081150': { vr: 'UI', Value: [CT_IMAGE] }, '00081155': { vr: 'UI', Value: ['1.2.3.9'] } },
        { '00081155': { vr: 'UI', Value: ['1.2.3.10'] } },
      ],
    },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^John' }] },
    '00100020': { vr: 'LO', Value: ['P1'] },
    '00100030': { vr: 'DA', Value: ['19700102'] },
    '0020000D': { vr: 'UI', Value: ['1.2.3.4'] },
    '0020000E': { vr: 'UI', Value: ['1.2.3.4.5'] },
    '00200013': { vr: 'IS', Value: ['7'] },
    '00280002': { vr: 'US', Value: [1] },
    '00280004': { vr: 'CS', Value: ['MONOCHROME2'] },
    '00280010': { vr: 'US', Value: [2] },
    '00280011': { vr: 'US', Value: [2] },
    '00280030': { vr: 'DS', Value: ['0.5', '0.25'] },
    '00280100': { vr: 'US', Value: [16] },
    '00280101': { vr: 'US', Value: [12] },
    '00280102': { vr: 'US', Value: [11] },
    '00280103': { vr: 'US', Value: [0] },
    '00400244': { vr: 'DA', Value: ['20250131'] },
    '7FE00010': { vr: 'OW', Value: [PIXELS] },
    ...changed,
  };
}

const PIXELS = Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0).buffer;

export function fileOf(changed: Attributes = {}, syntax = EXPLICIT): Uint8Array {
  return writeFile(attributesOf(changed), syntax);
}

export function uids(study: string, series: string, instance: string): Attributes {
  return {
    '0020000D': { vr: 'UI', Value: [study] },
    '0020000E': { vr: 'UI', Value: [series] },
    '00080018': { vr: 'UI', Value: [instance] },
  };
}

/** Returns changes for `fileOf` that leave these attributes out. */
export function without(...tags: readonly string[]): Attributes {
  return Object.fromEntries(tags.map((tag) => [tag, undefined])) as unknown as Attributes;
}

export function writeFile(attributes: Attributes, syntax = EXPLICIT, instance = '1.2.3.4.5.100'): Uint8Array {
  const dict = new dcmjs.data.DicomDict({
    '00020001': { vr: 'OB', Value: [Uint8Array.of(0, 1).buffer] },
    '00020002': { vr: 'UI', Value: [CT_IMAGE] },
    '00020003': { vr: 'UI', Value: [instance] },
    '00020010': { vr: 'UI', Value: [syntax] },
    '00020012': { vr: 'UI', Value: ['1.2.3.99'] },
  });
  dict.dict = Object.fromEntries(
    Object.entries(attributes)
      .filter(([, attribute]) => attribute !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const file = new Uint8Array(dict.write({ fragmentMultiframe: false, allowInvalidVRLength: true }));
  if (syntax !== DEFLATED) return file;
  const end = metaEnd(file);
  return new Uint8Array(Buffer.concat([file.subarray(0, end), deflateRawSync(file.subarray(end))]));
}

/** Returns the attributes that dcmjs reads from a file; binary values in base64. */
export function readFile(file: Uint8Array): Attributes {
  const { dict } = dcmjs.data.DicomMessage.readFile(new Uint8Array(file).buffer);
  return Object.fromEntries(
    Object.entries(dict).map(([tag, { vr, Value = [] }]) => [
      tag,
      { vr, Value: JSON.parse(JSON.stringify(Value, inBase64)) },
    ]),
  );
}

function inBase64(_name: string, value: unknown): unknown {
  return value instanceof ArrayBuffer ? Buffer.from(value).toString('base64') : value;
}

export function metaEnd(file: Uint8Array): number {
  return 144 + new DataView(file.buffer, file.byteOffset).getUint32(140, true);
}
