import { DATA_ELEMENTS } from './data-elements.js';

type Entry = { readonly tag: string; readonly vr: string; readonly keyword: string };

let byTag: Map<string, Entry> | undefined;
let byKeyword: Map<string, Entry> | undefined;

/** The VR of an element in the standard; undefined for private and unknown elements. `tag` is in capitals. */
export function vrOf(tag: string): string | undefined {
  return entryOf(tag)?.vr;
}

/** The keyword of an element in the standard, as "PatientName". */
export function keywordOf(tag: string): string | undefined {
  return entryOf(tag)?.keyword;
}

/**
 * The tag that a keyword or eight hexadecimal digits name: a private tag, or a tag of the standard; else undefined. The
 * case of a keyword counts.
 */
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
  // 50xx and 60xx are repeating groups.
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
    .split('\n')
    .flatMap((line) => {
      const [group, ...elements] = line.split(' ');
      return elements.map((text) => ({ tag: group + text.slice(0, 4), vr: text.slice(4, 6), keyword: text.slice(6) }));
    });
}
