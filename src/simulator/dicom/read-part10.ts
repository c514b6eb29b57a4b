import { inflateRawSync } from 'node:zlib';
import dicomParser, { type Element } from 'dicom-parser';
import { isLong } from './dataset.js';
import { vrOf } from './dictionary.js';

/** A PS3.10 file that has been read as far as the places of its elements. */
export type Part10 = Readonly<ReturnType<typeof parse>>;

type Unreadable = { readonly problem: string };

/** A transfer syntax: the file holds no VRs, so they come from the dictionary. */
export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
/** A transfer syntax: the default for clients that accept application/dicom or application/octet-stream. */
export const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** A transfer syntax: explicit little endian, with all that follows the meta information deflated. */
export const DEFLATED = '1.2.840.10008.1.2.1.99';
/** A transfer syntax that the standard has retired; old files can have it. */
export const EXPLICIT_BIG_ENDIAN = '1.2.840.10008.1.2.2';

const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
/** The limit is far more than any real file has, and far less than a stack holds. */
const DEEPEST_SEQUENCE = 64;
/** dicom-parser reads the length of these VRs as two bytes. As UN they are read right, and left out of metadata. */
const READ_AS_UN = new Set(['OV', 'SV', 'UV']);

/** Reads a file, or says why it is unreadable. Never throws. */
export function readPart10(file: Uint8Array): Part10 | Unreadable {
  try {
    const part10 = parse(file);
    checkElements(part10, Object.values(part10.elements), 0);
    return part10;
  } catch (error) {
    return { problem: `It is not a whole DICOM file: ${reasonOf(error)}` };
  }
}

/** Returns the values of SpecificCharacterSet (0008,0005); an empty list if the file lacks it. */
export function characterSetsOf({ bytes, elements }: Part10): string[] {
  const element = elements.x00080005;
  if (!element) return [];
  return dicomParser
    .readFixedString(bytes, element.dataOffset, element.length)
    .split('\\')
    .map((set) => set.trim());
}

/** Returns where the header of an element begins. */
export function startOf(element: Element, isExplicit: boolean): number {
  return element.dataOffset - (isExplicit && isLong(element.vr ?? '') ? 12 : 8);
}

function parse(file: Uint8Array) {
  const meta = dicomParser.readPart10Header(file);
  const syntaxElement = meta.elements.x00020010;
  if (!syntaxElement) throw new Error('its meta information names no transfer syntax (0002,0010).');
  const end = Math.max(...Object.values(meta.elements).map(({ dataOffset, length }) => dataOffset + length));
  const syntax = dicomParser.readFixedString(file, syntaxElement.dataOffset, syntaxElement.length).trim();

  const isDeflated = syntax === DEFLATED;
  const bytes = isDeflated ? inflateRawSync(file.subarray(end), { maxOutputLength: MAX_INFLATED_BYTES }) : file;
  const start = isDeflated ? 0 : end;
  const isExplicit = syntax !== IMPLICIT_LITTLE_ENDIAN;
  const isBigEndian = syntax === EXPLICIT_BIG_ENDIAN;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements = readElements({ bytes, start, isExplicit, isBigEndian });
  const signed = elements.x00280103;
  const isSigned = signed?.length === 2 && view.getUint16(signed.dataOffset, !isBigEndian) === 1;
  return {
    transferSyntax: syntax,
    isExplicit,
    isBigEndian,
    /** The bytes that hold the elements: the file, or the inflated data set. */
    bytes,
    view,
    /** True if its pixels have a sign. */
    isSigned,
    /** The beginning of the data set in `bytes`. */
    start,
    /** The end of the meta information in the file. */
    metaEnd: end,
    /** The elements of the data set, without the meta information. */
    elements,
  };
}

type Encoded = { bytes: Uint8Array; start: number; isExplicit: boolean; isBigEndian: boolean };

function readElements({ bytes, start, isExplicit, isBigEndian }: Encoded): Readonly<Record<string, Element>> {
  const parser = isBigEndian ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser;
  const stream = new dicomParser.ByteStream(parser, bytes, start);
  const read = stream.readFixedString.bind(stream);
  stream.readFixedString = (length) => {
    const text = read(length);
    return READ_AS_UN.has(text) ? 'UN' : text;
  };
  const into = {
    byteArray: bytes,
    byteArrayParser: parser,
    elements: {},
    warnings: [],
  } as unknown as dicomParser.DataSet;
  if (isExplicit) dicomParser.parseDicomDataSetExplicit(into, stream, bytes.length);
  else dicomParser.parseDicomDataSetImplicit(into, stream, bytes.length, vrCallback as never);
  return into.elements;
}

/** The dictionary shows which elements are sequences. dicom-parser guesses the others by their first bytes. */
const vrCallback = { vrCallback: (tag: string) => vrOf(tag.slice(1).toUpperCase()) };

/** Checks lengths and depth, so that later reads stay inside the bytes and the recursion is bounded. */
function checkElements(part10: Part10, elements: readonly Element[], depth: number): void {
  if (depth > DEEPEST_SEQUENCE) throw new Error(`its sequences are nested more than ${DEEPEST_SEQUENCE} deep.`);
  for (const element of elements) {
    const { tag, vr, dataOffset, length } = element;
    if (part10.isExplicit && vr !== undefined && !/^[A-Z]{2}$/.test(vr) && !tag.startsWith('xfffe')) {
      throw new Error(`element ${tag.slice(1)} has no value representation.`);
    }
    const ends = [dataOffset + length, ...(element.fragments ?? []).map((at) => at.position + at.length)];
    if (ends.some((end) => !(end <= part10.bytes.length))) {
      throw new Error(`element ${tag.slice(1)} goes on after the end of the file.`);
    }
    for (const item of element.items ?? []) {
      checkElements(part10, Object.values(item.dataSet?.elements ?? {}), depth + 1);
    }
  }
}

/** Returns the reason of an error: dicom-parser throws strings, errors, and objects around errors. */
function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (error instanceof RangeError) return 'its sequences are nested too deep, or it inflates to too much.';
  return error instanceof Error ? error.message : 'its data set breaks off or is garbled.';
}
