import type { Random } from '../clock.js';

/** Returns a source of numbers and tokens, which depend on the seed alone. */
export function seededRandom(seed: number | string): Random {
  const next = mulberry32(typeof seed === 'number' ? seed : hash(seed));
  return {
    number: next,
    token: () => Array.from({ length: 16 }, () => TOKEN_CHARACTERS.charAt(Math.floor(next() * 64))).join(''),
  };
}

/** Returns a number from 0, below 1. The same words always give the same number. */
export function chanceOf(...words: readonly (string | number)[]): number {
  return mulberry32(hash(words.join('\n')))();
}

/** Returns a new UUID, as the services make them. */
export function uuidOf({ number }: Random): string {
  const digits = Array.from({ length: 32 }, (_, at) => {
    if (at === 12) return '4';
    const digit = Math.floor(number() * 16);
    return (at === 16 ? 8 + (digit % 4) : digit).toString(16);
  }).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const TOKEN_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Returns a number generator of good quality, whose numbers depend on the seed alone. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Returns the FNV-1a hash over UTF-16 units, mixed so that similar words give different numbers. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
