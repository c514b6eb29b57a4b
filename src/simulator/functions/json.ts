import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { isJson, JSON_NEEDED } from '../../media-type.js';
import type { Problem } from '../problems.js';

type ReadJson = { kind: 'ok'; body: unknown } | { kind: 'wrong'; answer: HttpResponseInit };

/** Returns the JSON body of a request; an empty body is an empty object. The content-type must be JSON. */
export async function readJson(request: HttpRequest): Promise<ReadJson> {
  if (!isJson(request)) return { kind: 'wrong', answer: errorOf(415, 'UnsupportedMediaType', JSON_NEEDED) };
  const text = await request.text();
  if (text.trim() === '') return { kind: 'ok', body: {} };
  try {
    return { kind: 'ok', body: JSON.parse(text) };
  } catch {
    return { kind: 'wrong', answer: problemsOf([{ path: '(body)', message: 'is no JSON' }]) };
  }
}

export function problemsOf(problems: readonly Problem[]): HttpResponseInit {
  const message = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return { status: 400, jsonBody: { error: { code: 'InvalidRequest', message, details: problems } } };
}

/** Returns an answer whose body is `{ error: { code, message } }`. */
export function errorOf(status: number, code: string, message: string): HttpResponseInit {
  return { status, jsonBody: { error: { code, message } } };
}
