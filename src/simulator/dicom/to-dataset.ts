import type { Element } from 'dicom-parser';
import { type Decode, decoderOf } from './character-sets.js';
import { type Attribute, type Dataset, isBulk, isText, withoutPadding } from './dataset.js';
import { isPrivate, vrOf } from './dictionary.js';
import { NUMBERS } from './encode-value.js';
import type { Part10 } from './read-part10.js';
import { problemOfValue } from './value-rules.js';

type Value = string | number | object | null;
type Reading = { readonly part10: Part10; readonly decode: Decode };

/** Text of these VRs is in the character set of the data set. Text of other VRs is ASCII. */
const LOCAL_VRS = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
/** In these VRs a backslash is an ordinary character. */
const SINGLE_VRS = new Set(['LT', 'ST', 'UR', 'UT']);

const PRIVATE_CREATOR = /^.{4}00[1-9A-F].$/;
const SIGNED_AS_PIXELS = /^0028(010[4-9]|01[12].|110[123]|3002)$/;

/** Returns the attributes as DICOM JSON, without bulk data, unknown private attributes and group lengths. */
export function toDataset(part10: Part10): Dataset {
  return readSet(part10.elements, part10, decoderOf([]));
}

function readSet(elements: Part10['elements'], part10: Part10, outer: Decode): Dataset {
  const sets = elements.x00080005;
  const reading = { part10, decode: sets ? decoderOf(asciiOf(sets, part10).split('\\')) : outer };
  const dataset: Record<string, Attribute> = {};
  for (const element of inOrder(elements)) {
    const tag = element.tag.slice(1).toUpperCase();
    const vr = vrFor(element, tag, part10);
    if (!isBulk(vr)) dataset[tag] = readAttribute(element, vr, reading);
  }
  return dataset;
}

/** Returns the elements of a data set, without group lengths and delimiters. */
export function inOrder(elements: Part10['elements']): Element[] {
  return Object.values(elements)
    .filter(({ tag }) => !tag.startsWith('xfffe') && !tag.endsWith('0000'))
    .sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

function readAttribute(element: Element, vr: string, reading: Reading): Attribute {
  if (vr === 'SQ') {
    const { part10, decode } = reading;
    const items = (element.items ?? []).map(({ dataSet }) => readSet(dataSet?.elements ?? {}, part10, decode));
    return items.length > 0 ? { vr, Value: items } : { vr };
  }
  const values = isText(vr) ? readTexts(element, vr, reading) : readNumbers(element, vr, reading.part10);
  return values.some((value) => value !== null) ? { vr, Value: values } : { vr };
}

function readTexts(element: Element, vr: string, { part10, decode }: Reading): Value[] {
  const text = LOCAL_VRS.has(vr) ? decode(bytesOf(element, part10)) : asciiOf(element, part10);
  return (SINGLE_VRS.has(vr) ? [text] : text.split('\\')).map((part) => readText(part, vr));
}

function readText(text: string, vr: string): Value {
  const value = vr === 'UI' ? withoutPadding(text) : text.replace(/ +$/, '');
  if (value === '') return null;
  if (vr === 'DS' || vr === 'IS') return problemOfValue(vr, value) ? value : Number(value);
  if (vr !== 'PN') return value;
  const [Alphabetic = '', Ideographic = '', ...further] = value.split('=');
  const Phonetic = further.join('='); // there should be one; check-image.ts reports others
  return { ...(Alphabetic && { Alphabetic }), ...(Ideographic && { Ideographic }), ...(Phonetic && { Phonetic }) };
}

function readNumbers({ dataOffset, length }: Element, vr: string, { view, isBigEndian }: Part10): Value[] {
  const at = (width: number) => Array.from({ length: Math.floor(length / width) }, (_, n) => dataOffset + n * width);
  const hexAt = (offset: number) => hex(view.getUint16(offset, !isBigEndian));
  if (vr === 'AT') return at(4).map((offset) => hexAt(offset) + hexAt(offset + 2));
  const number = NUMBERS.get(vr);
  if (!number) return [];
  const values = at(number.width).map((offset) => view[`get${number.type}`](offset, !isBigEndian));
  return values.map((value) => (Number.isFinite(value) ? value : String(value))); // JSON has no NaN
}

/** Returns the VR in the file, else the VR in the standard; `UN` where both are missing. */
export function vrFor({ vr, items }: Element, tag: string, { isExplicit, isSigned }: Part10): string {
  if (isExplicit && vr !== undefined && !(vr === 'UN' && items)) return vr;
  if (items) return vrOf(tag) === 'SQ' || !isExplicit ? 'SQ' : 'UN';
  const ofTag = isPrivate(tag) && PRIVATE_CREATOR.test(tag) ? 'LO' : (vrOf(tag) ?? 'UN');
  return isSigned && SIGNED_AS_PIXELS.test(tag) ? 'SS' : ofTag;
}

function bytesOf({ dataOffset, length }: Element, { bytes }: Part10): Uint8Array {
  return bytes.subarray(dataOffset, dataOffset + length);
}

function asciiOf(element: Element, { bytes }: Part10): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + element.dataOffset, element.length).toString('latin1');
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, '0');
}
