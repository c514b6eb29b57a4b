import dicomParser, { type Element } from 'dicom-parser';
import { isLong } from './dataset.js';
import { encodeHeader, joined } from './encode-value.js';
import {
  DEFLATED,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  type Part10,
} from './read-part10.js';
import { describePart10, type Reading, vrFor } from './to-dataset.js';

const EXPLICIT = { isExplicit: true, isBigEndian: false };
const NO_VR = { isExplicit: false, isBigEndian: false };
/** The number of bytes in one number of a VR: big endian reverses them. */
const SWAPPED: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  OW: 2,
  AT: 2,
  UL: 4,
  SL: 4,
  FL: 4,
  OL: 4,
  OF: 4,
  FD: 8,
  OD: 8,
};

/** Whether a file can be converted without touching compressed pixels. */
export function isNative(syntax: string): boolean {
  return [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN, DEFLATED].includes(syntax);
}

/** The file in explicit VR little endian. For those of a native transfer syntax alone. */
export function convertNative(file: Uint8Array, part10: Part10): Uint8Array {
  const { transferSyntax, bytes, start } = part10;
  if (transferSyntax === EXPLICIT_LITTLE_ENDIAN) return file;
  const dataSet =
    transferSyntax === DEFLATED ? bytes.subarray(start) : writeSet(part10.elements, describePart10(part10));
  return joined([file.subarray(0, 132), writeMeta(file), dataSet]);
}

function writeMeta(file: Uint8Array): Uint8Array {
  const { elements } = dicomParser.readPart10Header(file);
  const syntax = Buffer.from(`${EXPLICIT_LITTLE_ENDIAN}\0`);
  const parts = Object.values(elements)
    .filter(({ tag }) => tag !== 'x00020000')
    .sort(byTag)
    .map(({ tag, vr = 'UN', dataOffset, length }) => {
      const value = tag === 'x00020010' ? syntax : file.subarray(dataOffset, dataOffset + length);
      return joined([encodeHeader(tag.slice(1), vr, value.length, EXPLICIT), value]);
    });
  const meta = joined(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return joined([encodeHeader('00020000', 'UL', 4, EXPLICIT), length, meta]);
}

function writeSet(elements: Readonly<Record<string, Element>>, reading: Reading): Uint8Array {
  return joined(
    Object.values(elements)
      .filter(({ tag }) => !tag.startsWith('xfffe') && !tag.endsWith('0000'))
      .sort(byTag)
      .map((element) => writeElement(element, reading)),
  );
}

function writeElement(element: Element, reading: Reading): Uint8Array {
  const tag = element.tag.slice(1);
  const vr = vrFor(element, tag.toUpperCase(), reading);
  if (vr === 'SQ') {
    const items = (element.items ?? []).map(({ dataSet }) => {
      const value = writeSet(dataSet?.elements ?? {}, reading);
      return joined([encodeHeader('fffee000', '', value.length, NO_VR), value]);
    });
    const value = joined(items);
    return joined([encodeHeader(tag, vr, value.length, EXPLICIT), value]);
  }
  const value = reading.bytes.subarray(element.dataOffset, element.dataOffset + element.length);
  // Implicit VR has room for values that explicit VR has none for.
  const written = value.length > 0xffff && !isLong(vr) ? 'UN' : vr;
  const width = reading.isLittle ? 1 : (SWAPPED[vr] ?? 1);
  return joined([encodeHeader(tag, written, value.length, EXPLICIT), width === 1 ? value : turned(value, width)]);
}

function turned(value: Uint8Array, width: number): Uint8Array {
  const whole = value.length - (value.length % width);
  return Uint8Array.from(value, (byte, at) =>
    at < whole ? (value[at - (at % width) + width - 1 - (at % width)] ?? byte) : byte,
  );
}

function byTag(a: Element, b: Element): number {
  return a.tag < b.tag ? -1 : 1;
}
