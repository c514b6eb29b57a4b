import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type * as z from 'zod';
import { FILTER_FIELDS } from '../dead-letters/listed.js';
import { placeOfError } from '../json-place.js';
import { isJson, JSON_NEEDED } from '../media-type.js';
import { printable } from '../printable.js';
import { httpError } from './serve.js';

type Body<T> = { kind: 'ok'; value: T } | { kind: 'wrong'; answer: HttpResponseInit };

/**
 * `code` is for scripts, `message` for people. Only `message` quotes a value that was sent, and only of a quotable property.
 */
export type Problem = { readonly path: string; readonly code: string; readonly message: string };

const BODY = '(body)';

type Refuse = (status: number, problems: readonly Problem[]) => HttpResponseInit;
type Expected<S> = {
  readonly schema: S;
  readonly maxCharacters: number;
  readonly quotable?: readonly string[];
  readonly refuse?: Refuse;
};

/**
 * Returns the body as `schema` parses it, or the answer that describes its problems: 415 if content-type is not JSON, else
 * the result of `refuse`.
 */
export async function readBody<S extends z.ZodType>(
  request: Pick<HttpRequest, 'text' | 'headers'>,
  { schema, maxCharacters, quotable = [], refuse = badRequest }: Expected<S>,
): Promise<Body<z.output<S>>> {
  const wrong = (status: number, problems: readonly Problem[]) =>
    ({ kind: 'wrong', answer: refuse(status, problems) }) as const;
  if (!isJson(request)) return { kind: 'wrong', answer: httpError(415, 'json-needed', JSON_NEEDED) };
  const text = await request.text();
  if (text.length > maxCharacters) {
    const message = `has ${text.length} characters, must have at most ${maxCharacters}`;
    return wrong(413, [{ path: BODY, code: 'too-large', message }]);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const message = `is not JSON: ${placeOfError(text)} is where it stops being JSON`;
    return wrong(400, [{ path: BODY, code: 'not-json', message }]);
  }
  const parsed = schema.safeParse(body);
  return parsed.success
    ? { kind: 'ok', value: parsed.data }
    : wrong(400, problemsOf(parsed.error, { schema, input: body, quotable }));
}

/** Returns the problems of a query or a body that its schema has refused. */
export function problemsOf({ issues }: z.ZodError, checked: Checked): Problem[] {
  return issues.flatMap((issue) => {
    const { path } = issue;
    const places = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    const code = issue.code === 'custom' ? issue.message : issue.code; // the messages of our own checks are codes
    const message = textOfIssue(issue, checked);
    return places.map((place) => ({ path: place.join('.') || BODY, code: code.replaceAll('_', '-'), message }));
  });
}

/** Returns the answer to a request with problems. */
export function badRequest(status: number, problems: readonly Problem[]): HttpResponseInit {
  return { status, jsonBody: { error: { code: 'bad-request', message: textOf(problems), problems } } };
}

/** Returns problems in words. */
export function textOf(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path} ${message}`).join('; ');
}

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
type Checked = { readonly schema: z.ZodType; readonly input: unknown; readonly quotable?: readonly string[] };

/** Returns the value that was found, and the values that are allowed. Quotes only values of `quotable` properties. */
function textOfIssue(issue: Issue, { schema, input, quotable = [] }: Checked): string {
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

/** Quotes a text or a number; names the type of any other value. */
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
    // `undefined` is the end of the path: its schema is unwrapped, too.
    while (!at.shape && at.unwrap) at = at.unwrap() as typeof at;
    if (part !== undefined) at = (at.shape?.[part] ?? {}) as typeof at;
  }
  return Object.keys(at.shape ?? {});
}
