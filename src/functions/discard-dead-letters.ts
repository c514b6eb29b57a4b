import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { discardMany } from '../dead-letters/many.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import { answerOf, choose, MAX_CHARACTERS, PACE, refuseUnknownName } from './dead-letter-pages.js';
import { discardBody, QUOTABLE } from './dead-letter-requests.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';
import { readBody } from './read-body.js';

type Deps = Pick<App, 'deadLetterStores' | 'workflows' | 'config' | 'telemetry'>;

/** Registers the discarding of chosen dead letters, for the level `admin`. */
export function registerDiscardDeadLetters(functions: FunctionApp, deps: Deps): void {
  functions.http('discardDeadLetters', {
    methods: ['POST'],
    route: 'dead-letters/discard',
    authLevel: 'admin',
    handler: (request) => discard(request, deps).catch(storageFailed),
  });
}

async function discard(request: Pick<HttpRequest, 'text' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: discardBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (body.kind === 'wrong') return body.answer;
  const { dryRun: isDryRun, why } = body.value;
  const by = callerOf(request, deps);
  const { letters, next } = await choose(body.value, deps.deadLetterStores);
  const refused = letters.length === 0 && (await refuseUnknownName({ filter: body.value.filter, at: 'filter.' }, deps));
  if (refused) return refused;
  const report = await discardMany(letters, { by, why, isDryRun }, { pace: PACE, stores: deps.deadLetterStores });
  if (!isDryRun) deps.telemetry.log('info', 'letters-discarded', { by, numbers: { ...report.counts } });
  return answerOf(report, isDryRun, next);
}
