import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { groupDeadLetters } from '../dead-letters/group.js';
import { deadLettersOf } from '../dead-letters/list.js';
import type { App } from './compose.js';
import { refuseUnknownName, takePage } from './dead-letter-pages.js';
import { listQuery, QUOTABLE } from './dead-letter-requests.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';
import { badRequest, problemsOf } from './read-body.js';

/** Counting by cause ends here: `isMore` says so. */
const MAX_GROUPED = 100_000;

type Deps = Pick<App, 'deadLetterStores' | 'workflows'>;

/** Registers the list of pending dead letters, without payloads and error messages. */
export function registerDeadLetters(functions: FunctionApp, deps: Deps): void {
  functions.http('deadLetters', {
    methods: ['GET'],
    route: 'dead-letters',
    authLevel: 'function',
    handler: (request) => list(request, deps).catch(storageFailed),
  });
}

async function list(request: Pick<HttpRequest, 'query'>, deps: Deps): Promise<HttpResponseInit> {
  const { deadLetterStores } = deps;
  const { code: _key, clientId: _of, ...asked } = Object.fromEntries(request.query);
  const parsed = listQuery.safeParse(asked);
  if (!parsed.success)
    return badRequest(400, problemsOf(parsed.error, { schema: listQuery, input: asked, quotable: QUOTABLE }));
  const { limit, after, by, ...filter } = parsed.data;
  if (by) {
    const found = await groupDeadLetters(deadLettersOf(deadLetterStores, filter), by, MAX_GROUPED);
    return (found.letters === 0 && (await refuseUnknownName({ filter }, deps))) || { jsonBody: found };
  }
  const page = await takePage({ filter, limit, after }, deadLetterStores);
  return (page.letters.length === 0 && (await refuseUnknownName({ filter }, deps))) || { jsonBody: page };
}
