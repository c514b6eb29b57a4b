import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { groupLetters } from '../dead-letters/group.js';
import type { Letter } from '../dead-letters/letter.js';
import { type After, type Filter, lettersOf, listLetters, thereAt } from '../dead-letters/list.js';
import { discardMany, type Pace, type Report, redriveMany } from '../dead-letters/many.js';
import { NO_SUCH_DEAD_LETTER, sentencesOf } from '../dead-letters/report-text.js';
import { showLetter } from '../dead-letters/show.js';
import { toJson } from '../json-text.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import { type Chosen, discardBody, encodeAfter, listQuery, redriveBody } from './dead-letter-requests.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';
import { badRequest, problemsOf, readBody } from './read-body.js';

type Deps = Pick<App, 'desk' | 'config' | 'telemetry'>;

/** A corrected event has 32 KiB at most, and so many ids fit beside it. */
const MOST_CHARACTERS = 256 * 1024;
const MOST_GROUPED = 100_000;
const AT_ONCE = 16;
/** What is shown is clinical, or may be: no cache on the way may keep it. */
const HEADERS = { 'Cache-Control': 'no-store' };

/**
 * Dead letters for people and scripts. A function key shows them without payload and message; the level `admin` shows
 * these two, and changes something.
 */
export function registerDeadLetters(functions: FunctionApp, deps: Deps): void {
  const register = (name: string, of: Route, answer: (request: HttpRequest) => Promise<HttpResponseInit>) =>
    functions.http(name, {
      methods: [of.method],
      route: `dead-letters${of.route}`,
      authLevel: of.level,
      handler: (request) => answer(request).catch(storageFailed),
    });
  register('deadLetters', { method: 'GET', route: '', level: 'function' }, (request) => list(request, deps));
  register('deadLetter', { method: 'GET', route: '/{id}', level: 'function' }, (request) => show(request, deps));
  register('deadLetterPayload', { method: 'GET', route: '/{id}/payload', level: 'admin' }, (request) =>
    showPayload(request, deps),
  );
  register('redriveDeadLetters', { method: 'POST', route: '/redrive', level: 'admin' }, (request) =>
    redrive(request, deps),
  );
  register('discardDeadLetters', { method: 'POST', route: '/discard', level: 'admin' }, (request) =>
    discard(request, deps),
  );
}

type Route = { method: 'GET' | 'POST'; route: string; level: 'function' | 'admin' };

async function list(request: Pick<HttpRequest, 'query'>, { desk }: Deps): Promise<HttpResponseInit> {
  const { code: _key, clientId: _of, ...asked } = Object.fromEntries(request.query);
  const parsed = listQuery.safeParse(asked);
  if (!parsed.success) return badRequest(400, problemsOf(parsed.error, listQuery, asked));
  const { limit: most, after: from, by, ...wanted } = parsed.data;
  if (by) return { jsonBody: await groupLetters(lettersOf(desk, wanted), by, MOST_GROUPED) };
  const { letters, next } = await takePage({ filter: wanted, limit: most, after: from }, desk);
  return { jsonBody: { letters, next } };
}

async function show({ params }: Pick<HttpRequest, 'params'>, { desk }: Deps): Promise<HttpResponseInit> {
  const found = await showLetter(params.id ?? '', desk);
  return found ? { jsonBody: found.shown } : NOT_FOUND;
}

async function showPayload(request: Pick<HttpRequest, 'params' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const found = await showLetter(request.params.id ?? '', deps.desk);
  deps.telemetry.log('info', 'letter-payload-shown', { by: callerOf(request, deps), count: found ? 1 : 0 });
  if (!found) return NOT_FOUND;
  const { shown, ...clinical } = found;
  // Not `jsonBody`: a payload may be nested too deeply for JSON.stringify.
  const body = toJson({ ...shown, ...clinical });
  return { body, headers: { ...HEADERS, 'Content-Type': 'application/json' } };
}

async function redrive(request: Pick<HttpRequest, 'text' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: redriveBody, maxCharacters: MOST_CHARACTERS });
  if (body.kind === 'wrong') return body.answer;
  const { dryRun: isDryRun, force: isForced, event } = body.value;
  const by = callerOf(request, deps);
  const { letters, next } = await choose(body.value, deps);
  const options = { by, isForced, isDryRun, ...(event !== undefined && { event }) };
  const report = await redriveMany(letters, options, paceOf(), deps.desk);
  if (!isDryRun) deps.telemetry.log('info', 'letters-redriven', { by, numbers: { ...report.counts } });
  return answerOf(report, isDryRun, next);
}

async function discard(request: Pick<HttpRequest, 'text' | 'headers'>, deps: Deps): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: discardBody, maxCharacters: MOST_CHARACTERS });
  if (body.kind === 'wrong') return body.answer;
  const { dryRun: isDryRun, why } = body.value;
  const by = callerOf(request, deps);
  const { letters, next } = await choose(body.value, deps);
  const report = await discardMany(letters, { by, why, isDryRun }, paceOf(), deps.desk);
  if (!isDryRun) deps.telemetry.log('info', 'letters-discarded', { by, numbers: { ...report.counts } });
  return answerOf(report, isDryRun, next);
}

/** The counts by their codes for scripts, and the same in words. */
function answerOf(report: Report, isDryRun: boolean, next: string | null): HttpResponseInit {
  return { jsonBody: { dryRun: isDryRun, ...report, message: sentencesOf(report, isDryRun).join(' '), next } };
}

// ---- which letters

async function choose(of: Chosen, { desk }: Deps): Promise<{ letters: { id: string }[]; next: string | null }> {
  if (of.ids) return { letters: of.ids.map((id) => ({ id })), next: null };
  return takePage({ ...of, filter: thereAt(await desk.storageNow(), of.filter ?? {}) }, desk);
}

async function takePage(
  of: { filter: Filter; limit: number; after?: After | undefined },
  desk: Deps['desk'],
): Promise<{ letters: Letter[]; next: string | null }> {
  const letters: Letter[] = [];
  let last: After | undefined;
  for await (const found of listLetters(desk, of.filter, of.after)) {
    if (letters.length === of.limit) return { letters, next: last ? encodeAfter(last) : null };
    letters.push(found.letter);
    last = found.after;
  }
  return { letters, next: null };
}

function paceOf(): Pace {
  return { atOnce: AT_ONCE, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
}

const NOT_FOUND = httpError(404, 'no-such-letter', NO_SUCH_DEAD_LETTER);
