import { convertNative } from './convert-native.js';
import { type Dataset, sortByTag } from './dataset.js';
import type { Image } from './image-store.js';
import { type Part10, readPart10 } from './read-part10.js';
import { revisePart10 } from './revise-part10.js';
import { toDataset } from './to-dataset.js';

/** Returns the attributes of an image now, or as it was stored, without bulk data and wrong values. */
export function metadataOf(image: Image, { isOriginal = false } = {}): Dataset {
  const right = Object.entries(toDataset(part10Of(image))).filter(([tag]) => !image.wrong.includes(tag));
  const changes = isOriginal ? {} : image.changes;
  return sortByTag({ ...Object.fromEntries(right), ...changes });
}

/** Returns the file with its updates; a native file is converted to explicit VR little endian. */
export function fileOf(image: Image, { isOriginal = false, isConverted = false } = {}): Uint8Array {
  const file = isOriginal || !image.changes ? image.file : revisePart10(image.file, part10Of(image), image.changes);
  return isConverted ? convertNative(file, readable(file)) : file;
}

/** Returns where the elements are: of the stored file, or of its converted form. */
export function part10Of(image: Image, { isConverted = false } = {}): Part10 {
  const stored = readable(image.file);
  return isConverted ? readable(convertNative(image.file, stored)) : stored;
}

/** Does not fail: the store accepts readable files only. */
function readable(file: Uint8Array): Part10 {
  const part10 = readPart10(file);
  if ('problem' in part10) throw new Error('A stored image cannot be read any more.');
  return part10;
}
