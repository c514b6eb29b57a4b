import { refuse } from './answers.js';
import { type Dataset, firstText } from './dataset.js';
import type { Part10 } from './read-part10.js';

/** The frames of an image, numbered from 1. */
type Frames = { readonly count: number; frame(number: number): Uint8Array };

const PIXEL_DATA = ['x7fe00010', 'x7fe00008', 'x7fe00009'];

/**
 * Returns the frames of an image. Encapsulated frames stay as in the file, without fragment headers. Throws a Refusal
 * where the image has no pixels, or does not show where a frame ends.
 */
export function framesOf(part10: Part10, dataset: Dataset): Frames {
  const pixels = PIXEL_DATA.map((tag) => part10.elements[tag]).find((element) => element !== undefined);
  if (!pixels) throw refuse(404, 'The specified frame cannot be found: the instance has no pixel data.');
  const count = Math.max(1, Math.floor(numberOf(dataset, '00280008', 1)));
  if (pixels.fragments)
    return framesOfFragments(part10, { fragments: pixels.fragments, offsets: pixels.basicOffsetTable, count });

  const all = part10.bytes.subarray(pixels.dataOffset, pixels.dataOffset + pixels.length);
  const bits = bitsOfFrame(dataset);
  if (bits === 0 || bits * count > all.length * 8) {
    throw inseparable(`There are ${all.length} bytes of pixels, where ${count} frames of ${bits} bits are announced.`);
  }
  return { count, frame: (number) => cutBits(all, (number - 1) * bits, bits) };
}

type Fragment = { readonly offset: number; readonly position: number; readonly length: number };

type Encapsulated = { fragments: readonly Fragment[]; offsets: readonly number[] | undefined; count: number };

function framesOfFragments({ bytes }: Part10, { fragments, offsets = [], count }: Encapsulated): Frames {
  const join = (from: readonly Fragment[]) =>
    new Uint8Array(Buffer.concat(from.map(({ position, length }) => bytes.subarray(position, position + length))));
  if (count === 1) return { count, frame: () => join(fragments) };
  if (fragments.length === count) return { count, frame: (n) => join(fragments.slice(n - 1, n)) };
  if (offsets.length !== count) {
    const found = `${fragments.length} fragments have ${count} frames in them`;
    throw inseparable(`${found}, and no offset table tells where they begin.`);
  }
  const within = (n: number) => {
    const [from = 0, to = Number.POSITIVE_INFINITY] = [offsets[n - 1], offsets[n]];
    return fragments.filter(({ offset }) => offset >= from && offset < to);
  };
  return { count, frame: (n) => join(within(n)) };
}

function inseparable(problem: string): Error {
  return refuse(406, `The frames cannot be told apart. ${problem}`);
}

function bitsOfFrame(dataset: Dataset): number {
  const [rows, columns] = [numberOf(dataset, '00280010', 0), numberOf(dataset, '00280011', 0)];
  const isHalved = firstText(dataset, '00280004') === 'YBR_FULL_422'; // two pixels share their colour
  const samples = isHalved ? 2 : numberOf(dataset, '00280002', 1);
  return rows * columns * samples * numberOf(dataset, '00280100', 0);
}

/** Frames of single bits have no gap between them, so a frame may begin within a byte; the first bit is the lowest. */
function cutBits(all: Uint8Array, from: number, bits: number): Uint8Array {
  const first = Math.floor(from / 8);
  const shift = from % 8;
  const length = Math.ceil(bits / 8);
  if (shift === 0) return all.slice(first, first + length);
  return Uint8Array.from({ length }, (_, at) => {
    const [low = 0, high = 0] = [all[first + at], all[first + at + 1]];
    return ((low >> shift) | (high << (8 - shift))) & 0xff;
  });
}

function numberOf(dataset: Dataset, tag: string, fallback: number): number {
  const text = firstText(dataset, tag);
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : fallback;
}
