import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { NO_SUCH_DEAD_LETTER } from '../dead-letters/report-text.js';
import { showDeadLetter } from '../dead-letters/show.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';

export const NOT_FOUND = httpError(404, 'no-such-letter', NO_SUCH_DEAD_LETTER);

type Deps = Pick<App, 'deadLetterStores'>;

/** Registers the view of one dead letter, without its payload and error message. */
export function registerDeadLetter(functions: FunctionApp, deps: Deps): void {
  functions.http('deadLetter', {
    methods: ['GET'],
    route: 'dead-letters/{id}',
    authLevel: 'function',
    handler: (request) => show(request, deps).catch(storageFailed),
  });
}

async function show({ params }: Pick<HttpRequest, 'params'>, { deadLetterStores }: Deps): Promise<HttpResponseInit> {
  const found = await showDeadLetter(params.id ?? '', deadLetterStores);
  return found ? { jsonBody: found.shown } : NOT_FOUND;
}
