import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { showDeadLetter } from '../dead-letters/show.js';
import { toJson } from '../json-text.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import { NOT_FOUND } from './dead-letter.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';

/** A payload can be clinical data: no cache between here and the caller may keep it. */
const HEADERS = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };

type Deps = Pick<App, 'deadLetterStores' | 'config' | 'telemetry'>;

/** Registers the view of one dead letter with its payload and error message, for the level `admin`. */
export function registerDeadLetterPayload(functions: FunctionApp, deps: Deps): void {
  functions.http('deadLetterPayload', {
    methods: ['GET'],
    route: 'dead-letters/{id}/payload',
    authLevel: 'admin',
    handler: (request) => showPayload(request, deps).catch(storageFailed),
  });
}

async function showPayload(request: Pick<HttpRequest, 'params' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const found = await showDeadLetter(request.params.id ?? '', deps.deadLetterStores);
  deps.telemetry.log('info', 'letter-payload-shown', { by: callerOf(request, deps), count: found ? 1 : 0 });
  if (!found) return NOT_FOUND;
  const { shown, ...clinical } = found;
  // Not `jsonBody`: a payload may be nested too deeply for JSON.stringify.
  return { body: toJson({ ...shown, ...clinical }), headers: HEADERS };
}
