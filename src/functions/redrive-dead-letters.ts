import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { redriveMany } from '../dead-letters/many.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import { answerOf, choose, MAX_CHARACTERS, PACE, refuseUnknownName } from './dead-letter-pages.js';
import { QUOTABLE, redriveBody } from './dead-letter-requests.js';
import type { FunctionApp } from './function-app.js';
import { storageFailed } from './http-error.js';
import { readBody } from './read-body.js';

type Deps = Pick<App, 'deadLetterStores' | 'workflows' | 'config' | 'telemetry'>;

/** Registers the redrive of chosen dead letters, for the level `admin`. */
export function registerRedriveDeadLetters(functions: FunctionApp, deps: Deps): void {
  functions.http('redriveDeadLetters', {
    methods: ['POST'],
    route: 'dead-letters/redrive',
    authLevel: 'admin',
    handler: (request) => redrive(request, deps).catch(storageFailed),
  });
}

async function redrive(request: Pick<HttpRequest, 'text' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: redriveBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (body.kind === 'wrong') return body.answer;
  const { dryRun: isDryRun, force: isForced, event } = body.value;
  const by = callerOf(request, deps);
  const { letters, next } = await choose(body.value, deps.deadLetterStores);
  const refused = letters.length === 0 && (await refuseUnknownName({ filter: body.value.filter, at: 'filter.' }, deps));
  if (refused) return refused;
  const options = { by, isForced, isDryRun, ...(event !== undefined && { event }) };
  const report = await redriveMany(letters, options, { pace: PACE, stores: deps.deadLetterStores });
  if (!isDryRun) deps.telemetry.log('info', 'letters-redriven', { by, numbers: { ...report.counts } });
  return answerOf(report, isDryRun, next);
}
