import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { parseJson } from '../../json-text.js';
import { isJson, JSON_NEEDED } from '../../media-type.js';
import { Refusal } from '../http.js';
import type { Problem } from '../problems.js';

type Answer = () => Promise<HttpResponseInit> | HttpResponseInit;

/** Answers a request by its method. `allowed` is the message for other methods (405). */
export async function answerBy(
  { method }: HttpRequest,
  answers: Readonly<Record<string, Answer>>,
  allowed: string,
): Promise<HttpResponseInit> {
  try {
    return (await answers[method]?.()) ?? errorOf(405, 'MethodNotAllowed', allowed);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

/** Returns the JSON body of a request; an empty body is an empty object. @throws Refusal unless the body is JSON. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  if (!isJson(request)) throw new Refusal(errorOf(415, 'UnsupportedMediaType', JSON_NEEDED));
  const text = (await request.text()).trim();
  const body = text === '' ? {} : parseJson(text);
  if (body === undefined) throw new Refusal(problemsOf([{ path: '(body)', message: 'is no JSON' }]));
  return body;
}

export function problemsOf(problems: readonly Problem[]): HttpResponseInit {
  const message = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return { status: 400, jsonBody: { error: { code: 'InvalidRequest', message, details: problems } } };
}

/** Returns an answer whose body is `{ error: { code, message } }`. */
export function errorOf(status: number, code: string, message: string): HttpResponseInit {
  return { status, jsonBody: { error: { code, message } } };
}
