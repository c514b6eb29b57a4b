/** A name as FHIR has it; any part may be missing. */
export type NameParts = { readonly text?: string; readonly family?: string; readonly given?: readonly string[] };

const MIN_PREFIX_LENGTH = 2;
const MAX_PREFIX_LENGTH = 10;
/** Scripts in which one character can be a whole name. */
const ONE_CHARACTER_NAMES = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/**
 * Returns the words of a name or of a query, in a form in which different spellings compare equal: lower case, without
 * marks (é is e), without apostrophes (O'Brien is obrien). Every other character that is no letter or digit separates
 * words.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/[\p{M}'’ʼ`]/gu, '')
    .toUpperCase() // ß is SS, and ı is I
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFC'); // Hangul syllables become one character again
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/**
 * Returns the words that find a name: words of `text` only if there is nothing else. Scripts without spaces also get
 * the whole name.
 */
export function wordsOfName({ text, family = '', given = [] }: NameParts): string[] {
  const parts = [family, ...given].flatMap(wordsOf);
  if (parts.length === 0) return wordsOf(text ?? '');
  return ONE_CHARACTER_NAMES.test(parts[0] ?? '') && parts.length > 1 ? [...parts, parts.join('')] : parts;
}

/** Returns the prefixes that find a word: 2 to 10 characters (from 1 in scripts where one character can be a name). */
export function prefixesOf(word: string): string[] {
  const characters = [...word].slice(0, MAX_PREFIX_LENGTH);
  const shortest = ONE_CHARACTER_NAMES.test(word) ? 1 : MIN_PREFIX_LENGTH;
  return characters.map((_, at) => characters.slice(0, at + 1).join('')).slice(shortest - 1);
}

/**
 * Returns the prefix that finds every word that begins with `word`, and perhaps others; undefined if `word` is too
 * short.
 */
export function prefixFor(word: string): string | undefined {
  return prefixesOf(word).at(-1);
}

/** Returns whether each word of the query is the beginning of one of `words`. */
export function matchesAll(wanted: readonly string[], words: readonly string[]): boolean {
  return wanted.every((one) => words.some((word) => word.startsWith(one)));
}
