import type { Element } from 'dicom-parser';
import { type Decode, decoderOf } from './character-sets.js';
import { type Attribute, type Dataset, isBulk, isText } from './dataset.js';
import { isPrivate, vrOf } from './dictionary.js';
import type { Part10 } from './read-part10.js';
import { problemOfValue } from './value-rules.js';

type Elements = Readonly<Record<string, Element>>;
/** The context that is needed to read the elements of a file. */
export type Reading = {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly isExplicit: boolean;
  readonly isLittle: boolean;
  /** Whether its pixels have a sign. */
  readonly isSigned: boolean;
};

/** Widths of the binary numbers, in bytes. */
const WIDTHS: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, AT: 4 };
/** Text in these is in the character set of the data set; the others are ASCII. */
const LOCAL_VRS = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
/** Here a backslash is a character as any other. */
const SINGLE_VRS = new Set(['LT', 'ST', 'UR', 'UT']);

const PRIVATE_CREATOR = /^.{4}00[1-9A-F].$/;
const SIGNED_AS_PIXELS = /^0028(010[4-9]|01[12].|110[123]|3002)$/;

/** The attributes in the DICOM JSON model, without bulk data, unknown private attributes and group lengths. */
export function toDataset(part10: Part10): Dataset {
  return readSet(part10.elements, describePart10(part10), decoderOf([]));
}

export function describePart10({ bytes, isExplicit, isBigEndian, elements }: Part10): Reading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signed = elements.x00280103;
  const isSigned = signed?.length === 2 && view.getUint16(signed.dataOffset, !isBigEndian) === 1;
  return { bytes, view, isExplicit, isLittle: !isBigEndian, isSigned };
}

function readSet(elements: Elements, reading: Reading, outer: Decode): Dataset {
  const sets = elements.x00080005;
  const decode = sets ? decoderOf(asciiOf(sets, reading).split('\\')) : outer;
  const dataset: Record<string, Attribute> = {};
  for (const element of Object.values(elements).sort((a, b) => (a.tag < b.tag ? -1 : 1))) {
    const tag = element.tag.slice(1).toUpperCase();
    if (tag.endsWith('0000') || tag.startsWith('FFFE')) continue;
    const vr = vrFor(element, tag, reading);
    if (!isBulk(vr)) dataset[tag] = readAttribute(element, vr, reading, decode);
  }
  return dataset;
}

function readAttribute(element: Element, vr: string, reading: Reading, decode: Decode): Attribute {
  if (vr === 'SQ') {
    const items = (element.items ?? []).map(({ dataSet }) => readSet(dataSet?.elements ?? {}, reading, decode));
    return items.length > 0 ? { vr, Value: items } : { vr };
  }
  const values = isText(vr) ? readTexts(element, vr, reading, decode) : readNumbers(element, vr, reading);
  return values.some((value) => value !== null) ? { vr, Value: values } : { vr };
}

function readTexts(
  element: Element,
  vr: string,
  reading: Reading,
  decode: Decode,
): (string | number | object | null)[] {
  const text = LOCAL_VRS.has(vr) ? decode(bytesOf(element, reading)) : asciiOf(element, reading);
  return (SINGLE_VRS.has(vr) ? [text] : text.split('\\')).map((part) => readText(part, vr));
}

function readText(text: string, vr: string): string | number | object | null {
  const value = vr === 'UI' ? text.replace(/[\0 ]+$/, '') : text.replace(/ +$/, '');
  if (value === '') return null;
  if (vr === 'DS' || vr === 'IS') return problemOfValue(vr, value) ? value : Number(value);
  if (vr !== 'PN') return value;
  const [Alphabetic = '', Ideographic = '', ...further] = value.split('=');
  const Phonetic = further.join('='); // there should be one; what is wrong is for others to say
  return { ...(Alphabetic && { Alphabetic }), ...(Ideographic && { Ideographic }), ...(Phonetic && { Phonetic }) };
}

function readNumbers(element: Element, vr: string, { view, isLittle }: Reading): (string | number | null)[] {
  const width = WIDTHS[vr] ?? 0;
  if (width === 0) return [];
  const count = Math.floor(element.length / width);
  return Array.from({ length: count }, (_, at) => readNumber(view, element.dataOffset + at * width, vr, isLittle));
}

function readNumber(view: DataView, at: number, vr: string, isLittle: boolean): string | number {
  if (vr === 'US') return view.getUint16(at, isLittle);
  if (vr === 'SS') return view.getInt16(at, isLittle);
  if (vr === 'UL') return view.getUint32(at, isLittle);
  if (vr === 'SL') return view.getInt32(at, isLittle);
  if (vr === 'AT') return hex(view.getUint16(at, isLittle)) + hex(view.getUint16(at + 2, isLittle));
  const number = vr === 'FL' ? view.getFloat32(at, isLittle) : view.getFloat64(at, isLittle);
  return Number.isFinite(number) ? number : String(number); // JSON has no NaN
}

/** The VR in the file, or the VR in the standard; `UN` where both are missing. */
export function vrFor({ vr, items }: Element, tag: string, { isExplicit, isSigned }: Reading): string {
  if (isExplicit && vr !== undefined && !(vr === 'UN' && items)) return vr;
  if (items) return vrOf(tag) === 'SQ' || !isExplicit ? 'SQ' : 'UN';
  const ofTag = isPrivate(tag) && PRIVATE_CREATOR.test(tag) ? 'LO' : (vrOf(tag) ?? 'UN');
  return isSigned && SIGNED_AS_PIXELS.test(tag) ? 'SS' : ofTag;
}

function bytesOf({ dataOffset, length }: Element, { bytes }: Reading): Uint8Array {
  return bytes.subarray(dataOffset, dataOffset + length);
}

function asciiOf(element: Element, { bytes }: Reading): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + element.dataOffset, element.length).toString('latin1');
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, '0');
}
