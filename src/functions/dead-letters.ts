import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { listQuery, QUOTABLE } from '../api/dead-letter-requests.js';
import { NO_SUCH_DEAD_LETTER } from '../dead-letters/report-text.js';
import { showDeadLetter } from '../dead-letters/show.js';
import { toJson } from '../json-text.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import { countPage, refuseUnknownName, takePage } from './dead-letter-pages.js';
import type { FunctionApp } from './function-app.js';
import { httpError } from './http-error.js';
import { badRequest, problemsOf } from './read-body.js';
import { serve } from './serve.js';

const NOT_FOUND = httpError(404, 'no-such-letter', NO_SUCH_DEAD_LETTER);
/** A payload can be clinical data, which no cache may keep. */
const PAYLOAD_HEADERS = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };

type Deps = Pick<App, 'deadLetterStores' | 'workflows' | 'config' | 'telemetry'>;

/**
 * Registers the list and the view of dead letters, and, for the level `admin`, the view with payload and error message.
 */
export function registerDeadLetters(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'deadLetters', (request) => list(request, deps));
  serve(functions, 'deadLetter', (request) => show(request, deps));
  serve(functions, 'deadLetterPayload', (request) => showPayload(request, deps));
}

async function list(request: Pick<HttpRequest, 'query'>, deps: Deps): Promise<HttpResponseInit> {
  const { deadLetterStores } = deps;
  const { code: _key, clientId: _of, ...asked } = Object.fromEntries(request.query);
  const parsed = listQuery.safeParse(asked);
  if (!parsed.success)
    return badRequest(400, problemsOf(parsed.error, { schema: listQuery, input: asked, quotable: QUOTABLE }));
  const { limit, after, until, by, resolved, ...filter } = parsed.data;
  const listing = { ...filter, isResolved: resolved === 'true' };
  const from = { filter: listing, after, until };
  const answer = await (by
    ? countPage({ ...from, by }, deadLetterStores)
    : takePage({ ...from, limit }, deadLetterStores));
  const found = typeof answer.letters === 'number' ? answer.letters : answer.letters.length;
  const isPart = after !== undefined || until !== undefined || answer.next !== null;
  return (await refuseUnknownName({ found, filter, isPart }, deps)) ?? { jsonBody: answer };
}

async function show({ params }: Pick<HttpRequest, 'params'>, { deadLetterStores }: Deps): Promise<HttpResponseInit> {
  const found = await showDeadLetter(params.id ?? '', deadLetterStores);
  return found ? { jsonBody: found.shown } : NOT_FOUND;
}

async function showPayload(request: Pick<HttpRequest, 'params' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const found = await showDeadLetter(request.params.id ?? '', deps.deadLetterStores);
  deps.telemetry.log('info', 'letter-payload-shown', { by: callerOf(request, deps), count: found ? 1 : 0 });
  if (!found) return NOT_FOUND;
  const { shown, ...clinical } = found;
  // Not `jsonBody`: a payload may be nested too deeply for JSON.stringify.
  return { body: toJson({ ...shown, ...clinical }), headers: PAYLOAD_HEADERS };
}
