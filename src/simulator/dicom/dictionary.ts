import elements from './data-elements.json' with { type: 'json' };

type Entry = { readonly tag: string; readonly vr: string; readonly keyword: string };

/** A line has one group: the group's number, then element, VR and keyword of each data element. */
const ENTRIES = elements.groups.flatMap((line): Entry[] => {
  const [group, ...listed] = line.split(' ');
  return listed.map((text) => ({ tag: group + text.slice(0, 4), vr: text.slice(4, 6), keyword: text.slice(6) }));
});
const BY_TAG = new Map(ENTRIES.map((entry) => [entry.tag, entry]));
const BY_KEYWORD = new Map(ENTRIES.map((entry) => [entry.keyword, entry]));

/** Returns the VR of an element in the standard; undefined for private and unknown elements. `tag` is in capitals. */
export function vrOf(tag: string): string | undefined {
  return entryOf(tag)?.vr;
}

/** Returns the keyword of an element in the standard, as "PatientName". */
export function keywordOf(tag: string): string | undefined {
  return entryOf(tag)?.keyword;
}

/** Returns the tags of keywords that are in the standard, with blanks between them. */
export function tagsOf(keywords: string): readonly string[] {
  return keywords.split(/\s+/).map((keyword) => {
    const entry = BY_KEYWORD.get(keyword);
    if (!entry) throw new TypeError(`'${keyword}' is not a keyword of DICOM.`);
    return entry.tag;
  });
}

/**
 * Returns the tag of a keyword or of eight hexadecimal digits, private or of the standard; else undefined. The case of
 * a keyword counts.
 */
export function parseTag(text: string): string | undefined {
  const known = BY_KEYWORD.get(text);
  if (known) return known.tag;
  if (!/^[0-9a-f]{8}$/i.test(text)) return undefined;
  const tag = text.toUpperCase();
  return isPrivate(tag) || entryOf(tag) ? tag : undefined;
}

/** Returns whether a tag is private: the number of its group is odd. */
export function isPrivate(tag: string): boolean {
  return Number.parseInt(tag.charAt(3), 16) % 2 === 1;
}

/** Finds an element. Repeating groups, 50xx and 60xx, are listed once: as 5000 and 6000. */
function entryOf(tag: string): Entry | undefined {
  const listed = /^[56]0/.test(tag) && !isPrivate(tag) ? `${tag.slice(0, 2)}00${tag.slice(4)}` : tag;
  return BY_TAG.get(listed);
}
