import type { HttpResponseInit } from '@azure/functions';
import { encodeAfter } from '../api/dead-letter-requests.js';
import { type After, type Filter, type Listing, listDeadLetters } from '../dead-letters/list.js';
import type { ListedDeadLetter } from '../dead-letters/listed.js';
import { unknownNameIn } from '../dead-letters/unknown-name.js';
import type { App } from './compose.js';
import { badRequest } from './read-body.js';

/** Returns a page of dead letters; `next` is the `after` of the next page, null at the end. */
export async function takePage(
  { filter, limit, after }: { filter: Listing; limit: number; after?: After | undefined },
  stores: App['deadLetterStores'],
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
 * For a filter that has found nothing: returns the refusal of a workflow, reason or type that neither the app nor any
 * dead letter knows. `at` is the path of the filter in the request.
 */
export async function refuseUnknownName(
  { found, filter, at = '' }: { readonly found: number; readonly filter: Filter | undefined; readonly at?: string },
  { deadLetterStores, workflows }: Pick<App, 'deadLetterStores' | 'workflows'>,
): Promise<HttpResponseInit | undefined> {
  const unknown = found === 0 && filter && (await unknownNameIn(filter, deadLetterStores, workflows));
  return unknown
    ? badRequest(400, [{ path: at + unknown.field, code: 'unknown-name', message: unknown.message }])
    : undefined;
}
