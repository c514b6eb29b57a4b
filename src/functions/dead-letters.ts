import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { groupDeadLetters } from '../dead-letters/group.js';
import { deadLettersOf } from '../dead-letters/list.js';
import type { App } from './compose.js';
import { takePage } from './dead-letter-pages.js';
import { listQuery } from './dead-letter-requests.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';
import { badRequest, problemsOf } from './read-body.js';

/** Counting by cause ends here: `isMore` says so. */
const MAX_GROUPED = 100_000;

type Deps = Pick<App, 'deadLetterStores'>;

/** Registers the list of pending dead letters, without payloads and error messages. */
export function registerDeadLetters(functions: FunctionApp, deps: Deps): void {
  functions.http('deadLetters', {
    methods: ['GET'],
    route: 'dead-letters',
    authLevel: 'function',
    handler: (request) => list(request, deps).catch(storageFailed),
  });
}

async function list(request: Pick<HttpRequest, 'query'>, { deadLetterStores }: Deps): Promise<HttpResponseInit> {
  const { code: _key, clientId: _of, ...asked } = Object.fromEntries(request.query);
  const parsed = listQuery.safeParse(asked);
  if (!parsed.success) return badRequest(400, problemsOf(parsed.error, listQuery, asked));
  const { limit, after, by, ...filter } = parsed.data;
  if (by) return { jsonBody: await groupDeadLetters(deadLettersOf(deadLetterStores, filter), by, MAX_GROUPED) };
  return { jsonBody: await takePage({ filter, limit, after }, deadLetterStores) };
}
