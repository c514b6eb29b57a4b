import { DATA_ELEMENTS } from './data-elements.js';

type Entry = { readonly tag: string; readonly vr: string; readonly keyword: string };

let byTag: Map<string, Entry> | undefined;
let byKeyword: Map<string, Entry> | undefined;

/** The VR that the standard gives an element; undefined for private ones and unknown ones. `tag` in capitals. */
export function vrOf(tag: string): string | undefined {
  return entryOf(tag)?.vr;
}

export function keywordOf(tag: string): string | undefined {
  return entryOf(tag)?.keyword;
}

/** Of a keyword, whose case counts, or of eight hexadecimal digits: a private tag, or one of the standard. */
export function parseTag(text: string): string | undefined {
  const known = keywords().get(text);
  if (known) return known.tag;
  if (!/^[0-9a-f]{8}$/i.test(text)) return undefined;
  const tag = text.toUpperCase();
  return isPrivate(tag) || entryOf(tag) ? tag : undefined;
}

export function isPrivate(tag: string): boolean {
  return Number.parseInt(tag.charAt(3), 16) % 2 === 1;
}

function entryOf(tag: string): Entry | undefined {
  // 50xx and 60xx repeat their group.
  const listed = /^[56]0/.test(tag) && !isPrivate(tag) ? `${tag.slice(0, 2)}00${tag.slice(4)}` : tag;
  return tags().get(listed);
}

function tags(): Map<string, Entry> {
  byTag ??= new Map(readEntries().map((entry) => [entry.tag, entry]));
  return byTag;
}

function keywords(): Map<string, Entry> {
  byKeyword ??= new Map([...tags().values()].map((entry) => [entry.keyword, entry]));
  return byKeyword;
}

function readEntries(): Entry[] {
  return DATA_ELEMENTS.trim()
    .split(/\s+/)
    .map((entry) => ({ tag: entry.slice(0, 8), vr: entry.slice(8, 10), keyword: entry.slice(10) }));
}
