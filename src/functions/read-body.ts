import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type * as z from 'zod';
import { placeOfError } from '../json-place.js';
import { isJson, JSON_NEEDED } from '../media-type.js';
import { httpError } from './http-error.js';
import { type Asked, textOfIssue } from './issue-text.js';

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
export function problemsOf({ issues }: z.ZodError, asked: Asked): Problem[] {
  return issues.flatMap((issue) => {
    const { path } = issue;
    const places = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    const code = issue.code === 'custom' ? issue.message : issue.code; // the messages of our own checks are codes
    const message = textOfIssue(issue, asked);
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
