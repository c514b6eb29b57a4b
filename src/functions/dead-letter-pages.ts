import type { HttpResponseInit } from '@azure/functions';
import { type After, type Filter, listDeadLetters, thereAt } from '../dead-letters/list.js';
import type { ListedDeadLetter } from '../dead-letters/listed.js';
import type { Pace, Report } from '../dead-letters/pace.js';
import { sentencesOf } from '../dead-letters/report-text.js';
import type { App } from './compose.js';
import { type Chosen, encodeAfter } from './dead-letter-requests.js';

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

/** Returns the answer to a change: the counts by their codes for scripts, and the same in words. */
export function answerOf(report: Report, isDryRun: boolean, next: string | null): HttpResponseInit {
  return { jsonBody: { dryRun: isDryRun, ...report, message: sentencesOf(report, isDryRun).join(' '), next } };
}
