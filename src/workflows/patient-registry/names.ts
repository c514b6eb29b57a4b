/** How a person may be called; any of these may be missing, as in FHIR. */
export type Named = { readonly text?: string; readonly family?: string; readonly given?: readonly string[] };

const MIN_PREFIX_LENGTH = 2;
const MAX_PREFIX_LENGTH = 10;
/** Scripts in which one character can be a whole name. */
const WRITTEN_IN_SYLLABLES = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/**
 * The words of a name or of a question for one, so that who writes them in another way finds them all the same: in small
 * letters, without marks (é is e), without apostrophes (O'Brien is obrien); all else that is no letter or digit parts words.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/[\p{M}'’ʼ`]/gu, '')
    .toUpperCase() // ß is SS, and ı is I
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFC'); // syllables of Hangul are one character again
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words that a name is found by: of `text` only where there is nothing else. Where none parts them, also both in one. */
export function wordsOfName({ text, family = '', given = [] }: Named): string[] {
  const parts = [family, ...given].flatMap(wordsOf);
  if (parts.length === 0) return wordsOf(text ?? '');
  return WRITTEN_IN_SYLLABLES.test(parts[0] ?? '') && parts.length > 1 ? [...parts, parts.join('')] : parts;
}

/** What a word is found by: its first characters, from 2 on (1 where that can be a name) to 10. */
export function prefixesOf(word: string): string[] {
  const characters = [...word];
  const prefixes: string[] = [];
  for (let length = shortestOf(word); length <= Math.min(MAX_PREFIX_LENGTH, characters.length); length += 1) {
    prefixes.push(characters.slice(0, length).join(''));
  }
  return prefixes;
}

/** The prefix that finds all words that begin with `word`, and longer ones perhaps that do not; undefined where it is too short. */
export function prefixFor(word: string): string | undefined {
  return prefixesOf(word).at(-1);
}

/** Whether each word that is asked for is the beginning of one of `words`. */
export function matchesAll(asked: readonly string[], words: readonly string[]): boolean {
  return asked.every((one) => words.some((word) => word.startsWith(one)));
}

function shortestOf(word: string): number {
  return WRITTEN_IN_SYLLABLES.test(word) ? 1 : MIN_PREFIX_LENGTH;
}
