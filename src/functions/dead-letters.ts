import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { encodeAfter, listQuery, QUOTABLE } from '../api/dead-letter-requests.js';
import type { DeadLetterGroups, DeadLetterPage } from '../api/dead-letters.js';
import { createGroups, type Group } from '../dead-letters/group.js';
import { type Filter, type Listing, type Part, scanDeadLetters } from '../dead-letters/list.js';
import type { FilterField, ListedDeadLetter } from '../dead-letters/listed.js';
import { NO_SUCH_DEAD_LETTER } from '../dead-letters/report-text.js';
import { showDeadLetter } from '../dead-letters/show.js';
import { unknownNameIn } from '../dead-letters/unknown-name.js';
import { toJson } from '../json-text.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { badRequest, problemsOf } from './read-body.js';
import { type FunctionApp, httpError, serve } from './serve.js';

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
  // A key of the host may be in the query.
  const { code: _key, clientId: _keyName, ...asked } = Object.fromEntries(request.query);
  const parsed = listQuery.safeParse(asked);
  if (!parsed.success)
    return badRequest(400, problemsOf(parsed.error, { schema: listQuery, input: asked, quotable: QUOTABLE }));
  const { limit, after, until, by, resolved, ...filter } = parsed.data;
  const listing = { ...filter, isResolved: resolved === 'true' };
  const part = { filter: listing, after, until };
  const answer = await (by
    ? countPage({ ...part, by }, deadLetterStores)
    : takePage({ ...part, limit }, deadLetterStores));
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
  deps.telemetry.log('info', 'letter-payload-shown', { by: callerIdOf(request, deps), count: found ? 1 : 0 });
  if (!found) return NOT_FOUND;
  const { shown, ...clinical } = found;
  // Not `jsonBody`: a payload may be nested too deeply for JSON.stringify.
  return { body: toJson({ ...shown, ...clinical }), headers: PAYLOAD_HEADERS };
}

type SearchResult = {
  readonly found: number;
  readonly filter: Filter | undefined;
  readonly at?: string;
  readonly isPart: boolean;
};
type Stores = App['deadLetterStores'];
type FilteredPart = Part & { readonly filter: Listing };

/**
 * A request ends, and answers with `next`, once it has looked at this number of names, which are three pages of storage, or
 * for MAX_LOOK_MS. So an answer takes seconds, however many dead letters there are. A blob of Event Grid counts as ten names,
 * because it must be read.
 */
const MAX_LOOKED_AT = 11_000;
const READ_COUNTS_AS = 10;
const MAX_LOOK_MS = 5000;

/**
 * Returns a page of at most `limit` dead letters; `next` is the `after` of the next page, null at the end. A page has fewer,
 * or none, if the request ends before it has found them.
 */
export async function takePage(
  { limit, ...part }: FilteredPart & { limit: number },
  stores: Stores,
): Promise<DeadLetterPage> {
  const letters: ListedDeadLetter[] = [];
  const next = await scan(part, stores, (deadLetter) => {
    if (letters.length === limit) return 'stop';
    letters.push(deadLetter);
    return 'more';
  });
  return { letters, next };
}

/** Counts dead letters by fields, as far as one request looks; `next` is the `after` of the next request. */
export async function countPage(
  { by, ...filtered }: FilteredPart & { by: readonly FilterField[] },
  stores: Stores,
): Promise<DeadLetterGroups> {
  const groups = createGroups(by);
  const next = await scan(filtered, stores, (deadLetter, part) => {
    groups.add(deadLetter, part);
    return 'more';
  });
  const { groups: counted, letters } = groups.counted();
  return { groups: counted.map(encodePart), letters, isMore: next !== null, next };
}

function encodePart({ part = {}, ...group }: Group): DeadLetterGroups['groups'][number] {
  const encode = (end: Part['until']) => (end ? encodeAfter(end) : null);
  return { ...group, after: encode(part.after), until: encode(part.until) };
}

/** Calls `take` with each matching dead letter and its part of the list, until `take` stops or the request ends. Returns `next`. */
async function scan(
  { filter, ...part }: FilteredPart,
  stores: Stores,
  take: (deadLetter: ListedDeadLetter, part: Part) => 'more' | 'stop',
): Promise<string | null> {
  const untilMs = stores.clock.monotonic() + MAX_LOOK_MS;
  let lookedAt = 0;
  let last = part.after;
  for await (const { deadLetter, name, after: here } of scanDeadLetters(stores, filter, part)) {
    const until = { stage: here.stage, name };
    if (deadLetter && take(deadLetter, { after: last, until }) === 'stop') return last ? encodeAfter(last) : null;
    lookedAt += here.stage === 'undelivered' ? READ_COUNTS_AS : 1;
    // Only the end of a page of storage has no name. The time is checked there, so that each request makes progress,
    // however slow storage is.
    const isLate = here.name === '' && stores.clock.monotonic() >= untilMs;
    if (lookedAt >= MAX_LOOKED_AT || isLate) return encodeAfter(here);
    last = here;
  }
  return null;
}

/**
 * Returns the refusal of a filter that has found nothing, and names a workflow, reason or type that neither the app nor any
 * dead letter knows. `at` is the path of the filter in the request. `isPart`: the request has looked at a part of many dead
 * letters, so a search for the name in all of them would take too long.
 */
export async function refuseUnknownName(
  { found, filter, at = '', isPart }: SearchResult,
  { deadLetterStores, workflows }: Pick<App, 'deadLetterStores' | 'workflows'>,
): Promise<HttpResponseInit | undefined> {
  const unknown = found === 0 && !isPart && filter && (await unknownNameIn(filter, deadLetterStores, workflows));
  return unknown
    ? badRequest(400, [{ path: at + unknown.field, code: 'unknown-name', message: unknown.message }])
    : undefined;
}
