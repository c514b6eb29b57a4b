import dicomParser, { type Element } from 'dicom-parser';
import { isLong } from './dataset.js';
import { encodeElement, encodeItem, joinBytes, NUMBERS } from './encode-value.js';
import {
  DEFLATED,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  type Part10,
} from './read-part10.js';
import { inOrder, vrFor } from './to-dataset.js';

/** The width in bytes of a number, for VRs that NUMBERS lacks. Big endian reverses the bytes of each number. */
const SWAPPED: Readonly<Record<string, number>> = { AT: 2, OW: 2, OL: 4, OF: 4, OD: 8 };

/** Returns whether a file can be converted without touching compressed pixels. */
export function isNative(syntax: string): boolean {
  return [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN, DEFLATED].includes(syntax);
}

/** Returns the file in explicit VR little endian. Only for files of a native transfer syntax. */
export function convertNative(file: Uint8Array, part10: Part10): Uint8Array {
  const { transferSyntax, bytes, start } = part10;
  if (transferSyntax === EXPLICIT_LITTLE_ENDIAN) return file;
  const dataSet = transferSyntax === DEFLATED ? bytes.subarray(start) : writeSet(part10.elements, part10);
  return joinBytes([file.subarray(0, 132), writeMeta(file), dataSet]);
}

function writeMeta(file: Uint8Array): Uint8Array {
  const { elements } = dicomParser.readPart10Header(file);
  const syntax = Buffer.from(`${EXPLICIT_LITTLE_ENDIAN}\0`);
  const parts = inOrder(elements).map(({ tag, vr = 'UN', dataOffset, length }) =>
    encodeElement(
      { tag: tag.slice(1), vr },
      tag === 'x00020010' ? syntax : file.subarray(dataOffset, dataOffset + length),
    ),
  );
  const meta = joinBytes(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return joinBytes([encodeElement({ tag: '00020000', vr: 'UL' }, length), meta]);
}

function writeSet(elements: Part10['elements'], part10: Part10): Uint8Array {
  return joinBytes(inOrder(elements).map((element) => writeElement(element, part10)));
}

function writeElement(element: Element, part10: Part10): Uint8Array {
  const tag = element.tag.slice(1);
  const vr = vrFor(element, tag.toUpperCase(), part10);
  if (vr === 'SQ') {
    const items = (element.items ?? []).map(({ dataSet }) => encodeItem(writeSet(dataSet?.elements ?? {}, part10)));
    return encodeElement({ tag, vr }, joinBytes(items));
  }
  const value = part10.bytes.subarray(element.dataOffset, element.dataOffset + element.length);
  // Implicit VR has room for values that explicit VR has none for.
  const written = value.length > 0xffff && !isLong(vr) ? 'UN' : vr;
  const width = part10.isBigEndian ? (NUMBERS.get(vr)?.width ?? SWAPPED[vr] ?? 1) : 1;
  return encodeElement({ tag, vr: written }, width === 1 ? value : reverseNumbers(value, width));
}

/** Returns a copy with the bytes of each number in reverse. */
function reverseNumbers(value: Uint8Array, width: number): Uint8Array {
  const bytes = Buffer.from(value);
  const numbers = bytes.subarray(0, value.length - (value.length % width));
  if (width === 2) numbers.swap16();
  else if (width === 4) numbers.swap32();
  else numbers.swap64();
  return bytes;
}
