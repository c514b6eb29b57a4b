import { encodeUtf8, IN_UTF_8, isAscii } from './character-sets.js';
import { type Attribute, type Dataset, firstText, sortByTag, TAG } from './dataset.js';
import { encodeElement, encodeItem, encodeValue, joinBytes } from './encode-value.js';
import { EXPLICIT_LITTLE_ENDIAN } from './read-part10.js';

/** The UID of this implementation, made from a UUID. */
const IMPLEMENTATION_UID = '2.25.106843187953408021493367418225092216187';

/**
 * Returns the DICOM file (PS3.10, explicit VR little endian) of a data set in the DICOM JSON model. Binary values are
 * `InlineBinary`, or a `Uint8Array` in `Value`. Text beyond ASCII is written and declared as UTF-8.
 */
export function writePart10(dataset: Dataset): Uint8Array {
  const written = isAscii(dataset) ? dataset : { ...dataset, ...IN_UTF_8 };
  const meta = writeElements({
    '00020001': { vr: 'OB', Value: [Uint8Array.of(0, 1)] },
    '00020002': { vr: 'UI', Value: [firstText(dataset, TAG.sopClassUid)] },
    '00020003': { vr: 'UI', Value: [firstText(dataset, TAG.instanceUid)] },
    '00020010': { vr: 'UI', Value: [EXPLICIT_LITTLE_ENDIAN] },
    '00020012': { vr: 'UI', Value: [IMPLEMENTATION_UID] },
  });
  const metaLength = writeElements({ '00020000': { vr: 'UL', Value: [meta.length] } });
  const prefix = Uint8Array.of(...new Uint8Array(128), ...encodeUtf8('DICM'));
  return joinBytes([prefix, metaLength, meta, writeElements(written)]);
}

function writeElements(dataset: Dataset): Uint8Array {
  const inCapitals = Object.fromEntries(Object.entries(dataset).map(([tag, value]) => [tag.toUpperCase(), value]));
  return joinBytes(Object.entries(sortByTag(inCapitals)).map(([tag, attribute]) => writeElement(tag, attribute)));
}

function writeElement(tag: string, attribute: Attribute): Uint8Array {
  const { vr, Value = [] } = attribute;
  if (vr !== 'SQ') return encodeElement({ tag, vr }, encodeValue(attribute, encodeUtf8));
  return encodeElement({ tag, vr }, joinBytes(Value.map((item) => encodeItem(writeElements(item as Dataset)))));
}
