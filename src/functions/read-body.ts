import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';

export type Body<T> = { kind: 'ok'; value: T } | { kind: 'wrong'; answer: HttpResponseInit };

type Problem = { readonly path: string; readonly code: string };

/** The body as `schema` has it, or the answer that says what is wrong with it: by path and code, without values. */
export async function readBody<S extends z.ZodType>(
  request: Pick<HttpRequest, 'text'>,
  schema: S,
  mostCharacters: number,
): Promise<Body<z.output<S>>> {
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
