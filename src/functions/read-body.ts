import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';
import { isJson, JSON_NEEDED } from '../media-type.js';
import { httpError } from './http-error.js';

export type Body<T> = { kind: 'ok'; value: T } | { kind: 'wrong'; answer: HttpResponseInit };

type Problem = { readonly path: string; readonly code: string };

/**
 * The body as `schema` has it, or the answer that says what is wrong with it: 415 where content-type does not declare
 * JSON, else path and code of each problem, without values.
 */
export async function readBody<S extends z.ZodType>(
  request: Pick<HttpRequest, 'text' | 'headers'>,
  schema: S,
  mostCharacters: number,
): Promise<Body<z.output<S>>> {
  if (!isJson(request)) return { kind: 'wrong', answer: httpError(415, 'json-needed', JSON_NEEDED) };
  const text = await request.text();
  if (text.length > mostCharacters) return wrong(413, [{ path: '(body)', code: 'too-large' }]);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return wrong(400, [{ path: '(body)', code: 'not-json' }]);
  }
  const parsed = schema.safeParse(body);
  return parsed.success ? { kind: 'ok', value: parsed.data } : wrong(400, problemsOf(parsed.error));
}

export function problemsOf({ issues }: z.ZodError): Problem[] {
  return issues.flatMap((issue) => {
    const { path } = issue;
    const places = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    const code = issue.code === 'custom' ? issue.message : issue.code; // the messages of our own checks are codes
    return places.map((place) => ({ path: place.join('.') || '(body)', code: code.replaceAll('_', '-') }));
  });
}

function wrong(status: number, problems: readonly Problem[]): { kind: 'wrong'; answer: HttpResponseInit } {
  return { kind: 'wrong', answer: badRequest(status, problems) };
}

export function badRequest(status: number, problems: readonly Problem[]): HttpResponseInit {
  const message = problems.map(({ path, code }) => `${path}: ${code}`).join('; ');
  return { status, jsonBody: { error: { code: 'bad-request', message, problems } } };
}
