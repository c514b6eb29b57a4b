import type * as z from 'zod';
import { FILTER_FIELDS } from '../dead-letters/listed.js';
import { printable } from '../printable.js';

type Issue = z.core.$ZodIssue;

const MAX_QUOTED = 40;

/** The texts of the checks in src/api/dead-letter-requests.ts, by their codes. */
const CUSTOM: Readonly<Record<string, (input: unknown) => string>> = {
  'ids-or-filter': (input) =>
    `${(Object(input) as { ids?: unknown }).ids === undefined ? 'is missing, and so is filter' : 'is there beside filter'}: exactly one of the two must be there`,
  'for-one-id': (input) =>
    `is for exactly one id, and ids holds ${(Object(input) as { ids?: { length?: number } }).ids?.length ?? 'none'}`,
  'not-fields': (input) =>
    `is ${quoted((Object(input) as { by?: unknown }).by)}, must be one or more of ${FILTER_FIELDS.join(', ')}, with commas between`,
  'not-of-a-list': () => 'is not the `next` of a list, must be one that an earlier answer held',
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** The input, its schema, and the properties whose values an answer may quote. */
export type Asked = { readonly schema: z.ZodType; readonly input: unknown; readonly quotable?: readonly string[] };

/** Returns the value that was found, and the values that are allowed. Quotes only values of `quotable` properties. */
export function textOfIssue(issue: Issue, { schema, input, quotable = [] }: Asked): string {
  const value = issue.path.reduce<unknown>((of, part) => Object(of)[part], input);
  const isQuoted = quotable.includes(String(issue.path.find((part) => part !== 'filter')));
  const found = isQuoted ? quoted(value) : typeOf(value);
  switch (issue.code) {
    case 'custom':
      return CUSTOM[issue.message]?.(input) ?? `is wrong (${issue.message})`;
    case 'invalid_type':
      return `is ${found}, must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `is ${found === 'a text' ? 'another text' : found}, must be one of ${issue.values.join(', ')}`;
    case 'invalid_format':
      return `is ${isQuoted ? found : `${found} in another format`}, must be ${issue.format === 'datetime' ? 'a time such as 2026-03-14T12:00:00Z' : issue.format}`;
    case 'too_small':
      return `${sizeOf(value, isQuoted ? found : 'too small')}, must ${boundOf(issue.origin)} at least ${issue.minimum}`;
    case 'too_big':
      return `${sizeOf(value, isQuoted ? found : 'too large')}, must ${boundOf(issue.origin)} at most ${issue.maximum}`;
    case 'unrecognized_keys':
      return `is not known here, must be one of ${keysAt(schema, issue.path).join(', ')}`;
    default:
      return `is wrong (${issue.code})`;
  }
}

/** Returns a text or a number; the type of any other value. */
function quoted(value: unknown): string {
  if (typeof value === 'string') return `'${printable(value.slice(0, MAX_QUOTED))}'`;
  return typeof value === 'number' ? String(value) : typeOf(value);
}

function typeOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : (TYPES[typeof value] ?? typeof value);
}

function sizeOf(value: unknown, fallback: string): string {
  if (Array.isArray(value)) return `has ${value.length} items`;
  return typeof value === 'string' && Number.isNaN(Number.parseFloat(value))
    ? `has ${value.length} characters`
    : `is ${fallback}`;
}

function boundOf(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be';
}

/** Returns the keys that the schema allows for the object at `path`. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at = schema as { shape?: Record<PropertyKey, unknown>; unwrap?: () => unknown };
  for (const part of [...path, undefined]) {
    while (!at.shape && at.unwrap) at = at.unwrap() as typeof at;
    if (part !== undefined) at = (at.shape?.[part] ?? {}) as typeof at;
  }
  return Object.keys(at.shape ?? {});
}
