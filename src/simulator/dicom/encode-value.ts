import { type Attribute, isLong, isText, textOfValue } from './dataset.js';

/** Writes text; it is for the caller to have made sure that the character set can hold it. */
export type Encode = (text: string) => Uint8Array;

const NUMBERS: Readonly<Record<string, { width: number; write: (view: DataView, value: number) => void }>> = {
  US: { width: 2, write: (view, value) => view.setUint16(0, value, true) },
  SS: { width: 2, write: (view, value) => view.setInt16(0, value, true) },
  UL: { width: 4, write: (view, value) => view.setUint32(0, value, true) },
  SL: { width: 4, write: (view, value) => view.setInt32(0, value, true) },
  FL: { width: 4, write: (view, value) => view.setFloat32(0, value, true) },
  FD: { width: 8, write: (view, value) => view.setFloat64(0, value, true) },
  SV: { width: 8, write: (view, value) => view.setBigInt64(0, BigInt(value), true) },
  UV: { width: 8, write: (view, value) => view.setBigUint64(0, BigInt(value), true) },
};

/** The value of an attribute that is no sequence, little endian, of even length. */
export function encodeValue({ vr, Value = [], InlineBinary }: Attribute, encode: Encode): Uint8Array {
  if (InlineBinary !== undefined) return padded(Buffer.from(InlineBinary, 'base64'), 0);
  if (isText(vr)) return padded(encode(Value.map(textOfValue).join('\\')), vr === 'UI' ? 0 : 0x20);
  if (vr === 'AT') return joined(Value.map((tag) => encodeTag(String(tag))));
  const kind = NUMBERS[vr];
  if (kind) return joined(Value.map((value) => encodeNumber(Number(value), kind)));
  return padded(joined(Value.filter((value) => value instanceof Uint8Array)), 0);
}

/** Tag, VR where it is written, and length. */
export function encodeHeader(
  tag: string,
  vr: string,
  length: number,
  { isExplicit, isBigEndian }: { isExplicit: boolean; isBigEndian: boolean },
): Uint8Array {
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

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

function padded(bytes: Uint8Array, padding: number): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : joined([bytes, Uint8Array.of(padding)]);
}

function encodeTag(tag: string): Uint8Array {
  return encodeHeader(tag.padStart(8, '0'), '', 0, { isExplicit: false, isBigEndian: false }).subarray(0, 4);
}

function encodeNumber(value: number, { width, write }: (typeof NUMBERS)[string]): Uint8Array {
  const view = new DataView(new ArrayBuffer(width));
  write(view, value);
  return new Uint8Array(view.buffer);
}
