import { deflateRawSync } from 'node:zlib';
import { encodeText, encodeUtf8, IN_UTF_8, isAscii } from './character-sets.js';
import { type Dataset, textOfValue } from './dataset.js';
import { type Encode, encodeElement, encodeValue, joinBytes } from './encode-value.js';
import { characterSetsOf, DEFLATED, type Part10, startOf } from './read-part10.js';
import { toDataset } from './to-dataset.js';

/**
 * Returns the file with other values for some text attributes, which need not be in the file. All bytes between the
 * changed elements are copied unchanged.
 */
export function revisePart10(file: Uint8Array, part10: Part10, changes: Dataset): Uint8Array {
  const { bytes, start, elements, transferSyntax } = part10;
  const { written, encode } = inCharacterSet(part10, changes);
  const places = Object.values(elements)
    .map((element) => ({ tag: element.tag.slice(1).toUpperCase(), at: startOf(element, part10.isExplicit) }))
    .sort((a, b) => a.at - b.at);

  const parts: Uint8Array[] = [];
  let copiedTo = start;
  for (const [tag, attribute] of Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const next = places.findIndex((place) => place.tag >= tag);
    const from = places[next]?.at ?? bytes.length;
    const to = places[next]?.tag === tag ? (places[next + 1]?.at ?? bytes.length) : from;
    const element = encodeElement({ tag, vr: attribute.vr }, encodeValue(attribute, encode), part10);
    parts.push(bytes.subarray(copiedTo, from), element);
    copiedTo = to;
  }
  parts.push(bytes.subarray(copiedTo));

  const dataSet = joinBytes(parts);
  if (transferSyntax !== DEFLATED) return joinBytes([bytes.subarray(0, start), dataSet]);
  return joinBytes([file.subarray(0, part10.metaEnd), deflateRawSync(dataSet)]);
}

/**
 * Writes the values in the file's character sets if these can hold them. If they cannot and all text of the file is
 * ASCII, the file is declared to be in UTF-8, which leaves that text as it is. Otherwise each character that does not
 * fit becomes `?`, as in the real service; metadata still shows the true values.
 */
function inCharacterSet(part10: Part10, changes: Dataset): { written: Dataset; encode: Encode } {
  const sets = characterSetsOf(part10);
  const fits = Object.values(changes).every(({ Value = [] }) =>
    Value.every((value) => encodeText(textOfValue(value), sets) !== undefined),
  );
  const canBecomeUtf8 = !sets.some((set) => set.startsWith('ISO 2022')) && isAscii(toDataset(part10));
  if (!fits && canBecomeUtf8) return { written: { ...changes, ...IN_UTF_8 }, encode: encodeUtf8 };
  return {
    written: changes,
    encode: (text) =>
      encodeText(text, sets) ??
      joinBytes([...text].map((character) => encodeText(character, sets) ?? Uint8Array.of(0x3f))),
  };
}
