import { type Attribute, isLong, isText, textOfValue } from './dataset.js';

/** Writes text. The caller has checked that the character set can hold the text. */
export type Encode = (text: string) => Uint8Array;

type NumberType = 'Uint16' | 'Int16' | 'Uint32' | 'Int32' | 'Float32' | 'Float64';

/** The storage of a VR's numbers: the name in DataView, and the width in bytes. */
export const NUMBERS = new Map<string, { type: NumberType; width: number }>([
  ['US', { type: 'Uint16', width: 2 }],
  ['SS', { type: 'Int16', width: 2 }],
  ['UL', { type: 'Uint32', width: 4 }],
  ['SL', { type: 'Int32', width: 4 }],
  ['FL', { type: 'Float32', width: 4 }],
  ['FD', { type: 'Float64', width: 8 }],
]);
const BIG_NUMBERS = new Map<string, 'BigInt64' | 'BigUint64'>([
  ['SV', 'BigInt64'],
  ['UV', 'BigUint64'],
]);

/** The encodings of elements. `EXPLICIT` is the usual one. */
const EXPLICIT = { isExplicit: true, isBigEndian: false };
const IMPLICIT = { isExplicit: false, isBigEndian: false };

/** Returns the value of an attribute that is no sequence, little endian, of even length. */
export function encodeValue({ vr, Value = [], InlineBinary }: Attribute, encode: Encode): Uint8Array {
  if (InlineBinary !== undefined) return padToEven(Buffer.from(InlineBinary, 'base64'), 0);
  if (isText(vr)) return padToEven(encode(Value.map(textOfValue).join('\\')), vr === 'UI' ? 0 : 0x20);
  if (vr === 'AT') return joinBytes(Value.map((tag) => encodeTag(String(tag))));
  const write = numberWriter(vr);
  if (write) return joinBytes(Value.map((value) => write(Number(value))));
  return padToEven(joinBytes(Value.filter((value) => value instanceof Uint8Array)), 0);
}

type Name = { readonly tag: string; readonly vr: string };

/** Returns an element: tag, VR where the encoding has it, length, and value. */
export function encodeElement(name: Name, value: Uint8Array, form = EXPLICIT): Uint8Array {
  return joinBytes([encodeHeader(name, value.length, form), value]);
}

/** Returns an item of a sequence. */
export function encodeItem(value: Uint8Array): Uint8Array {
  return encodeElement({ tag: 'FFFEE000', vr: '' }, value, IMPLICIT);
}

function encodeHeader({ tag, vr }: Name, length: number, { isExplicit, isBigEndian }: typeof EXPLICIT): Uint8Array {
  const isLittle = !isBigEndian;
  const isWide = isExplicit && isLong(vr);
  if (isExplicit && !isWide && length > 0xffff) {
    throw new RangeError(`${tag} is of ${length} bytes; a value of VR ${vr} can have 65535.`);
  }
  const header = new Uint8Array(isWide ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, Number.parseInt(tag.slice(0, 4), 16), isLittle);
  view.setUint16(2, Number.parseInt(tag.slice(4), 16), isLittle);
  if (isExplicit) header.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
  if (isWide) view.setUint32(8, length, isLittle);
  else if (isExplicit) view.setUint16(6, length, isLittle);
  else view.setUint32(4, length, isLittle);
  return header;
}

/** Returns all parts as one array. A single part is returned itself, without a copy. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

function padToEven(bytes: Uint8Array, padding: number): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : joinBytes([bytes, Uint8Array.of(padding)]);
}

function encodeTag(tag: string): Uint8Array {
  return encodeHeader({ tag: tag.padStart(8, '0'), vr: '' }, 0, IMPLICIT).subarray(0, 4);
}

function numberWriter(vr: string): ((value: number) => Uint8Array) | undefined {
  const number = NUMBERS.get(vr);
  const big = BIG_NUMBERS.get(vr);
  if (!number && !big) return undefined;
  return (value) => {
    const view = new DataView(new ArrayBuffer(number?.width ?? 8));
    if (number) view[`set${number.type}`](0, value, true);
    if (big) view[`set${big}`](0, BigInt(value), true);
    return new Uint8Array(view.buffer);
  };
}
