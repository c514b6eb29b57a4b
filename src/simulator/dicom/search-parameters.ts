import { refuse } from './answers.js';
import { type Attribute, textsOf, withoutPadding } from './dataset.js';
import { keywordOf, parseTag, vrOf } from './dictionary.js';
import { ADDED_BY_ALL, BY_DEFAULT, type Level, SEARCHABLE } from './search-attributes.js';
import { isDate } from './value-rules.js';

/** The attributes that a search returns, and its filters. */
export type Search = ReturnType<typeof parseSearch>;

/** One condition of a search: `matches` tests the attribute `tag` of a study, series or image. */
export type Filter = {
  readonly tag: string;
  readonly level: Level;
  readonly text: string;
  matches(attribute: Attribute | undefined): boolean;
};

const MAX_RESULTS = 200;
const RESULTS = 100;
const COMBINING = /\p{M}/gu;

/**
 * Reads the query of QIDO-RS for a resource at which the attributes of `levels` can be searched and are answered.
 * A parameter that the service would not understand is refused, so a search never returns more than it should.
 */
export function parseSearch(query: URLSearchParams, levels: readonly Level[]) {
  const options = new Map<string, string[]>();
  const attributes = new Map<string, string[]>();
  for (const [name, value] of query) {
    const isOption = OPTIONS.includes(name.trim().toLowerCase());
    const [into, key] = isOption ? [options, name.trim().toLowerCase()] : [attributes, name.trim()];
    into.set(key, [...(into.get(key) ?? []), value.trim()]);
  }

  const limit = parseNumber(options.get('limit'), RESULTS);
  const offset = parseNumber(options.get('offset'), 0);
  const fuzzy = (options.get('fuzzymatching')?.[0] ?? 'false').toLowerCase();
  if (!(limit >= 1 && limit <= MAX_RESULTS)) throw problem(`limit must be between 1 and ${MAX_RESULTS}`);
  if (!(offset >= 0)) throw problem('offset must be a whole number, and not negative');
  if (fuzzy !== 'true' && fuzzy !== 'false') throw problem('fuzzymatching must be true or false');

  const filters: Filter[] = [];
  for (const [name, values] of attributes) {
    const filter = parseFilter(name, values, { levels, isFuzzy: fuzzy === 'true' });
    if (filters.some(({ tag }) => tag === filter.tag)) throw problem(`attribute '${name}' has been specified twice`);
    filters.push(filter);
  }
  const fields = (options.get('includefield') ?? []).flatMap((value) => value.split(',')).map((field) => field.trim());
  const asked = fields.map((field) => (field.toLowerCase() === 'all' ? 'all' : parseTag(field)));
  const unknown = asked.indexOf(undefined);
  if (unknown >= 0) throw problem(`includefield has unknown attribute '${fields[unknown]}'`);
  /** `tags`: those in the answer, where an image has them. */
  return { filters, tags: tagsOf(asked, filters, levels), limit, offset };
}

const OPTIONS = ['limit', 'offset', 'fuzzymatching', 'includefield'];

type FilterScope = { levels: readonly Level[]; isFuzzy: boolean };

function parseFilter(name: string, values: readonly string[], { levels, isFuzzy }: FilterScope): Filter {
  const [text = ''] = values;
  const tag = parseTag(name);
  const level = levels.find((one) => tag !== undefined && SEARCHABLE[one].includes(tag));
  if (values.length > 1) throw problem(`attribute '${name}' has been specified more than once`);
  if (tag === undefined) throw problem(`unknown query parameter '${name}'. The case of keywords counts`);
  if (!level) throw problem(`attribute '${name}' cannot be searched here; ${searchable(levels)} can`);
  if (text === '') throw problem(`attribute '${name}' has an empty value, which is not supported`);
  const vr = vrOf(tag);
  if (vr === 'DA') return parseDates(tag, level, text);
  if (vr !== 'PN') return { tag, level, text: foldCase(text), matches: oneOf(foldCase(text), foldCase) };
  return { tag, level, text, matches: isFuzzy ? nameBegins(text) : oneOf(foldName(text), foldName) };
}

function parseDates(tag: string, level: Level, text: string): Filter {
  const [from = '', to = from, ...more] = text.split('-').map((part) => part.trim());
  if (more.length > 0 || !isDate(from) || !isDate(to) || (from === '' && to === '')) {
    throw problem(`'${text}' is no date for ${keywordOf(tag)}: YYYYMMDD, or a range of them such as 20250101-20251231`);
  }
  if (from !== '' && to !== '' && from > to) throw problem(`the range of dates '${text}' ends before it begins`);
  const matches = (attribute: Attribute | undefined) =>
    textsOf(attribute).some((date) => (from === '' || date >= from) && (to === '' || date <= to));
  return { tag, level, text, matches };
}

/** Matches a name with consecutive words that begin with the words of the query, in order. */
function nameBegins(text: string): Filter['matches'] {
  const wanted = wordsOf(text);
  return (attribute) =>
    textsOf(attribute).some((name) => {
      const words = wordsOf(name);
      return words.some((_, at) => wanted.every((word, further) => words[at + further]?.startsWith(word)));
    });
}

function wordsOf(text: string): string[] {
  return foldName(text)
    .split(/[\s^=,.'-]+/)
    .filter(Boolean);
}

function oneOf(wanted: string, normalize: (text: string) => string): Filter['matches'] {
  return (attribute) => textsOf(attribute).some((text) => normalize(text) === wanted);
}

function foldCase(text: string): string {
  return withoutPadding(text).toLowerCase();
}

/** Returns a name as it is compared: without case, accents and padding. */
function foldName(text: string): string {
  return foldCase(text).normalize('NFD').replace(COMBINING, '');
}

function tagsOf(
  asked: readonly (string | undefined)[],
  filters: readonly Filter[],
  levels: readonly Level[],
): Set<string> {
  const isAll = asked.includes('all');
  return new Set([
    ...levels.flatMap((level) => [...BY_DEFAULT[level], ...(isAll ? ADDED_BY_ALL[level] : [])]),
    ...(isAll ? [] : asked.flatMap((tag) => tag ?? [])),
    ...filters.map(({ tag }) => tag),
  ]);
}

function searchable(levels: readonly Level[]): string {
  return levels
    .flatMap((level) => SEARCHABLE[level])
    .map(keywordOf)
    .join(', ');
}

function parseNumber(values: readonly string[] | undefined, fallback: number): number {
  if (values === undefined) return fallback;
  return /^\d{1,15}$/.test(values[0] ?? '') ? Number(values[0]) : Number.NaN;
}

function problem(text: string): Error {
  return refuse(400, `Invalid query: ${text}.`);
}
