import type { HttpResponseInit } from '@azure/functions';
import { encodeAfter } from '../api/dead-letter-requests.js';
import type { DeadLetterGroups, DeadLetterPage } from '../api/dead-letters.js';
import { createGroups } from '../dead-letters/group.js';
import { type After, type Filter, type Listing, scanDeadLetters } from '../dead-letters/list.js';
import type { FilterField, ListedDeadLetter } from '../dead-letters/listed.js';
import { unknownNameIn } from '../dead-letters/unknown-name.js';
import type { App } from './compose.js';
import { badRequest } from './read-body.js';

type Unfound = {
  readonly found: number;
  readonly filter: Filter | undefined;
  readonly at?: string;
  readonly isPart: boolean;
};
type Stores = App['deadLetterStores'];
type From = { readonly filter: Listing; readonly after?: After | undefined };

/**
 * A request looks at this number of names, which are five pages of storage, or for this time, then answers with `next`. So an
 * answer takes seconds, however many dead letters there are. A blob of Event Grid must be read, so it counts as ten.
 */
const MAX_LOOKED_AT = 9000;
const READ_COUNTS_AS = 10;
const MAX_LOOK_MS = 5000;

/**
 * Returns a page of at most `limit` dead letters; `next` is the `after` of the next page, null at the end. A page that
 * has looked at `MAX_LOOKED_AT` names has fewer, or none.
 */
export async function takePage({ limit, ...from }: From & { limit: number }, stores: Stores): Promise<DeadLetterPage> {
  const letters: ListedDeadLetter[] = [];
  const next = await scan(from, stores, (deadLetter) => {
    if (letters.length === limit) return 'stop';
    letters.push(deadLetter);
    return 'more';
  });
  return { letters, next };
}

/** Counts dead letters by fields, as far as one request looks; `next` is the `after` of the next request. */
export async function countPage(
  { by, ...from }: From & { by: readonly FilterField[] },
  stores: Stores,
): Promise<DeadLetterGroups> {
  const groups = createGroups(by);
  const next = await scan(from, stores, (deadLetter) => {
    groups.add(deadLetter);
    return 'more';
  });
  return { ...groups.counted(), isMore: next !== null, next };
}

/** Calls `take` with each dead letter that matches, until `take` stops or the request has looked at enough names. */
async function scan(
  { filter, after }: From,
  stores: Stores,
  take: (deadLetter: ListedDeadLetter) => 'more' | 'stop',
): Promise<string | null> {
  const untilMs = stores.clock.monotonic() + MAX_LOOK_MS;
  let lookedAt = 0;
  let last: After | undefined;
  for await (const { deadLetter, after: here } of scanDeadLetters(stores, filter, after)) {
    if (deadLetter && take(deadLetter) === 'stop') return last ? encodeAfter(last) : null;
    lookedAt += here.stage === 'undelivered' ? READ_COUNTS_AS : 1;
    // The time is checked between two pages of storage, so that each request makes progress, however slow storage is.
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
  { found, filter, at = '', isPart }: Unfound,
  { deadLetterStores, workflows }: Pick<App, 'deadLetterStores' | 'workflows'>,
): Promise<HttpResponseInit | undefined> {
  const unknown = found === 0 && !isPart && filter && (await unknownNameIn(filter, deadLetterStores, workflows));
  return unknown
    ? badRequest(400, [{ path: at + unknown.field, code: 'unknown-name', message: unknown.message }])
    : undefined;
}
