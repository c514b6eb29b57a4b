import type { HttpResponseInit } from '@azure/functions';
import { type After, type Filter, listDeadLetters, thereAt } from '../dead-letters/list.js';
import type { ListedDeadLetter } from '../dead-letters/listed.js';
import type { Pace, Report } from '../dead-letters/pace.js';
import { sentencesOf } from '../dead-letters/report-text.js';
import { unknownNameIn } from '../dead-letters/unknown-name.js';
import type { App } from './compose.js';
import { type Chosen, encodeAfter } from './dead-letter-requests.js';
import { badRequest } from './read-body.js';

type Stores = App['deadLetterStores'];

/** A corrected event of at most 32 KiB, with room for 1,000 ids. */
export const MAX_CHARACTERS = 256 * 1024;
export const PACE: Pace = { atOnce: 16, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };

/** Returns the dead letters that a body names, or a page of those that its filter matches now. */
export async function choose(
  { ids, filter = {}, ...page }: Chosen,
  stores: Stores,
): Promise<{ letters: { id: string }[]; next: string | null }> {
  if (ids) return { letters: ids.map((id) => ({ id })), next: null };
  return takePage({ ...page, filter: thereAt(await stores.storageNow(), filter) }, stores);
}

/** Returns a page of dead letters; `next` is the `after` of the next page, null at the end. */
export async function takePage(
  { filter, limit, after }: { filter: Filter; limit: number; after?: After | undefined },
  stores: Stores,
): Promise<{ letters: ListedDeadLetter[]; next: string | null }> {
  const letters: ListedDeadLetter[] = [];
  let last: After | undefined;
  for await (const found of listDeadLetters(stores, filter, after)) {
    if (letters.length === limit) return { letters, next: last ? encodeAfter(last) : null };
    letters.push(found.deadLetter);
    last = found.after;
  }
  return { letters, next: null };
}

/**
 * For a filter that matches nothing: returns the refusal of a workflow, reason or type that neither the app nor any dead
 * letter knows. `at` is the path of the filter in the request.
 */
export async function refuseUnknownName(
  { filter, at = '' }: { readonly filter: Filter | undefined; readonly at?: string },
  { deadLetterStores, workflows }: Pick<App, 'deadLetterStores' | 'workflows'>,
): Promise<HttpResponseInit | undefined> {
  const unknown = filter && (await unknownNameIn(filter, deadLetterStores, workflows));
  return unknown && badRequest(400, [{ path: at + unknown.field, code: 'unknown-name', message: unknown.message }]);
}

/** Returns the answer to a change: the counts by their codes for scripts, and the same in words. */
export function answerOf(report: Report, isDryRun: boolean, next: string | null): HttpResponseInit {
  return { jsonBody: { dryRun: isDryRun, ...report, message: sentencesOf(report, isDryRun).join(' '), next } };
}
