import { rangeOfDate } from '../../../fhir-date.js';
import { isResourceType, RESOURCE_TYPES } from '../../../fhir-types.js';
import { invalid, refuse } from '../content/outcome.js';
import { referenceKey, tokenKey, uriKey } from '../store/index-keys.js';

/** One condition of a search: a resource meets it, or not. */
export type Criterion =
  | { readonly kind: 'ids'; readonly ids: ReadonlySet<string> }
  | { readonly kind: 'types'; readonly types: ReadonlySet<string> }
  | { readonly kind: 'updated'; readonly isMetAt: (atMs: number) => boolean }
  /** The resource has one of these keys in the index. */
  | { readonly kind: 'keys'; readonly keys: readonly string[] };

/** The real service passes each id to SQL Server as one parameter; SQL Server takes 2,100 in all. */
const MAX_IDS = 2_097;
const TOKENS = ['identifier', '_tag'];

/** Returns the criterion of a parameter `name=text`. Throws a FhirError where the text is wrong. */
export function readCriterion(name: string, text: string, base: string): Criterion {
  const [parameter = '', modifier] = name.split(':', 2);
  const values = splitEscaped(text, ',');
  if (modifier !== undefined && !(isReference(parameter) && isResourceType(modifier))) {
    throw refuse(403, 'not-supported', `Modifier ':${modifier}' is not supported for search parameter '${parameter}'.`);
  }
  if (parameter === '_id') {
    if (values.length > MAX_IDS) {
      throw invalid(`'_id' has ${values.length} values: a request can have ${MAX_IDS}. Ask for fewer.`);
    }
    return { kind: 'ids', ids: new Set(values) };
  }
  if (parameter === '_type') return { kind: 'types', types: new Set(values) };
  if (parameter === '_lastUpdated') {
    const tests = values.map(readDateTest);
    return { kind: 'updated', isMetAt: (atMs) => tests.some((test) => test(atMs)) };
  }
  const keysOf = (value: string) => {
    if (TOKENS.includes(parameter)) return [keyOfToken(parameter, value)];
    if (parameter === '_profile') return [uriKey('_profile', removeEscapes(value))];
    return keysOfReference(parameter, value, modifier).flatMap((reference) => keysAt(base, reference));
  };
  return { kind: 'keys', keys: values.flatMap(keysOf) };
}

/** Reads `system|value`; `|value` without a system; `value` in any system; `system|` for any value. */
function keyOfToken(parameter: string, text: string): string {
  const parts = splitEscaped(text, '|').map(removeEscapes);
  if (parts.length > 2) throw invalid(`'${text}' of '${parameter}' has more than one '|'. Write system|value.`);
  const [first = '', second] = parts;
  if (second === undefined) return tokenKey(parameter, { value: first });
  return second === '' ? tokenKey(parameter, { system: first }) : tokenKey(parameter, { system: first, value: second });
}

/** Returns the keys of a reference. An id alone may be of any type; with `patient` it is a patient's. */
function keysOfReference(parameter: string, text: string, modifier: string | undefined): string[] {
  const reference = removeEscapes(text);
  if (reference.includes('/') || reference.startsWith('urn:')) return [reference];
  const types = modifier !== undefined ? [modifier] : parameter === 'patient' ? ['Patient'] : RESOURCE_TYPES;
  return types.map((type) => `${type}/${reference}`);
}

/** Returns the keys of a reference. A relative and an absolute reference to this service mean the same. */
function keysAt(base: string, reference: string): string[] {
  const relative = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const isElsewhere = /^[a-z][a-z0-9+.-]*:/i.test(relative);
  return [referenceKey(relative), ...(isElsewhere ? [] : [referenceKey(`${base}/${relative}`)])];
}

function readDateTest(text: string): (atMs: number) => boolean {
  const [, prefix = 'eq', date = ''] = /^([a-z]{2})?(.*)$/s.exec(text) ?? [];
  const range = rangeOfDate(date);
  if (!range) throw invalid(`'${text}' of '_lastUpdated' is not a date. Write it as in ge2024-05-01T10:00:00Z.`);
  const compare = COMPARISONS.get(prefix);
  if (compare) return (atMs) => compare(atMs, range);
  throw invalid(`'${prefix}' of '_lastUpdated' is not one of eq, ne, gt, ge, lt, le, sa and eb.`);
}

type Range = NonNullable<ReturnType<typeof rangeOfDate>>;

const isAfter = (atMs: number, { endMs }: Range) => atMs >= endMs;
const isBefore = (atMs: number, { startMs }: Range) => atMs < startMs;
const COMPARISONS = new Map<string, (atMs: number, range: Range) => boolean>([
  ['eq', (atMs, range) => !isBefore(atMs, range) && !isAfter(atMs, range)],
  ['ne', (atMs, range) => isBefore(atMs, range) || isAfter(atMs, range)],
  ['gt', isAfter],
  ['sa', isAfter],
  ['ge', (atMs, range) => !isBefore(atMs, range)],
  ['lt', isBefore],
  ['eb', isBefore],
  ['le', (atMs, range) => !isAfter(atMs, range)],
]);

function isReference(parameter: string): boolean {
  return parameter === 'subject' || parameter === 'patient';
}

/** Parts at `separator`, but not where a backslash is before it. */
function splitEscaped(text: string, separator: string): string[] {
  const parts = [''];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === separator) parts.push('');
    else parts[parts.length - 1] += character;
    if (character !== '\\' || at + 1 >= text.length) continue;
    at += 1;
    parts[parts.length - 1] += text.charAt(at);
  }
  return parts;
}

function removeEscapes(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}
