import { TextDecoder } from 'node:util';
import { type Dataset, TAG } from './dataset.js';

/** Specific Character Set (0008,0005), as browsers and Node call it; where it has several, the last that is named. */
const ENCODINGS: Readonly<Record<string, string>> = {
  'ISO_IR 6': 'windows-1252',
  'ISO_IR 100': 'windows-1252',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 87': 'iso-2022-jp',
  'ISO_IR 159': 'iso-2022-jp',
  'ISO_IR 149': 'euc-kr',
  'ISO_IR 58': 'gb18030',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};
const ESC = '\u001b';
const ESCAPES = new RegExp(`${ESC}[$(),./-]*[@-~]`, 'g');
const decoders = new Map<string, TextDecoder>();

export type Decode = (bytes: Uint8Array) => string;

/** Reads text in the character sets of a data set. An unknown character set is read as Latin-1. Never throws. */
export function decoderOf(characterSets: readonly string[]): Decode {
  const names = characterSets.map((set) => set.trim().replace(/^ISO 2022 IR /, 'ISO_IR ')).filter(Boolean);
  const encoding = ENCODINGS[names.at(-1) ?? 'ISO_IR 6'] ?? 'windows-1252';
  const decoder = decoders.get(encoding) ?? new TextDecoder(encoding, { ignoreBOM: true });
  decoders.set(encoding, decoder);
  // Only the decoder for Japanese needs the escapes: the others have one character set in addition to ASCII.
  return (bytes) => {
    const text = decoder.decode(bytes);
    return text.includes(ESC) ? text.replace(ESCAPES, '') : text;
  };
}

/** The attribute that says that text is in UTF-8. */
export const IN_UTF_8: Dataset = { [TAG.characterSet]: { vr: 'CS', Value: ['ISO_IR 192'] } };

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns whether all texts of the data set are ASCII, so that they need no character set. */
export function isAscii(dataset: Dataset): boolean {
  const text = JSON.stringify(dataset, (_name, value) => (value instanceof Uint8Array ? '' : value));
  return /^[\0-\x7f]*$/.test(text);
}

/** Returns `text` in these sets; undefined if they cannot hold it, or this code cannot write them. */
export function encodeText(text: string, characterSets: readonly string[]): Uint8Array | undefined {
  const set = characterSets.length > 1 ? undefined : (characterSets[0]?.trim() ?? '');
  if (set === 'ISO_IR 192') return encodeUtf8(text);
  const highest = set === 'ISO_IR 100' ? 0xff : 0x7f;
  return [...text].every((character) => (character.codePointAt(0) ?? 0) <= highest)
    ? Uint8Array.from(text, (character) => character.charCodeAt(0))
    : undefined;
}
