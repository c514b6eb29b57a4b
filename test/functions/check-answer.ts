import type { HttpResponseInit } from '@azure/functions';
import { errorAnswer } from '../../src/api/common.js';
import type { Route } from '../../src/api/route.js';
import { ROUTES } from '../../src/api/routes.js';

/** Throws if a function of the HTTP API answers something that its route does not describe. Returns the answer. */
export function checkAnswer<A>(name: string, answer: A): A {
  const route: Route | undefined = Object.entries(ROUTES).find(([of]) => of === name)?.[1];
  if (!route) return answer;
  const { status = 200, jsonBody, body } = answer as HttpResponseInit;
  const { schema } = route.answers[status] ?? (status >= 400 ? { schema: errorAnswer } : {});
  if (!route.answers[status] && status < 400)
    throw new Error(`${name} answers ${status}, which its route does not have`);
  const sent: unknown = JSON.parse(typeof body === 'string' ? body : JSON.stringify(jsonBody ?? null));
  const isError = status >= 400 && errorAnswer.safeParse(sent).success;
  if (!isError) schema?.parse(sent);
  return answer;
}
