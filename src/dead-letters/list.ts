import type { ListedBlob } from '../storage/blob-store.js';
import { blobPages } from '../storage/pages.js';
import {
  FILTER_FIELDS,
  type FilterField,
  fromContent,
  fromListing,
  fromUndelivered,
  LISTED_STAGES,
  type ListedDeadLetter,
  type ListedStage,
  STAGES_WITH_WORKFLOW,
} from './listed.js';
import { type BlobsPage, pendingPages } from './store/pending.js';
import type { ReadStores } from './stores.js';
import { isUnreadable, RESOLVED, readUndelivered, undeliveredBlobs } from './undelivered.js';

/** The value of a field in a filter that matches the dead letters without one. */
export const NONE = '(none)';

/** A field that is left out matches all dead letters. */
export type Filter = {
  readonly [W in FilterField]?: ListedDeadLetter[W] | undefined;
} & {
  /** Written at this time or later (`from`), or earlier (`to`). */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
};

/** The end of a page: the next page begins after this `name` ('': with the first one) in this page of storage's listing. */
export type After = { readonly stage: ListedStage; readonly page?: string | undefined; readonly name: string };

/**
 * A part of the list: behind `after`, up to the dead letter `until`. Storage lists by name and names never change, so a
 * part that has once held a dead letter holds it as long as it is pending, whatever comes and goes meanwhile.
 */
export type Part = { readonly after?: After | undefined; readonly until?: Omit<After, 'page'> | undefined };

/** `isResolved`: the resolved dead letters instead of the pending ones. */
export type Listing = Filter & { readonly isResolved?: boolean };

/** The blobs that are read at a time: a blob of Event Grid may hold thousands of events. */
const READ_AT_ONCE = 8;

/**
 * Yields each blob in the order of the list: its name, the place after it, and the dead letter if it matches. So a caller
 * that needs a few of many can stop at any blob. Holds one page of storage's listing. A blob is read only if the listing
 * lacks its fields.
 */
export async function* scanDeadLetters(
  stores: ReadStores,
  listing: Listing = {},
  part: Part = {},
): AsyncGenerator<{ deadLetter: ListedDeadLetter | undefined; name: string; after: After }, void> {
  for await (const { stage, page, next, blobs } of listBlobs(stores, listing, part)) {
    const reads = blobs.map(
      (blob) => async () =>
        isInTime(blob, listing) ? readListed(stores, { stage, blob, isResolved: listing.isResolved }) : undefined,
    );
    for await (const { index, value: found } of inBatches(reads)) {
      const { name } = blobs[index] as ListedBlob;
      const deadLetter = found && isMatch(found, listing) ? found : undefined;
      const isLast = next !== undefined && index === blobs.length - 1;
      yield { deadLetter, name, after: isLast ? { stage, page: next, name: '' } : { stage, page, name } };
    }
  }
}

/** Yields the blobs whose stage and workflow may match, page by page, and reads none of them. */
export async function* listBlobs(
  stores: ReadStores,
  listing: Listing,
  { after, until }: Part = {},
): AsyncGenerator<BlobsPage & { stage: ListedStage }, void> {
  const firstStage = after ? LISTED_STAGES.indexOf(after.stage) : 0;
  const lastStage = until ? LISTED_STAGES.indexOf(until.stage) : LISTED_STAGES.length - 1;
  for (const stage of LISTED_STAGES.slice(firstStage, lastStage + 1)) {
    if (!mayHold(stage, listing)) continue;
    const from = stage === after?.stage ? after : undefined;
    const last = stage === until?.stage ? until.name : undefined;
    for await (const { blobs, page, next } of pagesOfStage(stores, stage, { ...listing, page: from?.page })) {
      // The name of `from` can be on a later page than its token: the first page of a listing is smaller.
      const kept = blobs.filter(({ name }) => name > (from?.name ?? '') && (last === undefined || name <= last));
      yield { stage, page, next, blobs: kept };
      if (last !== undefined && (blobs.at(-1)?.name ?? '') >= last) break;
    }
  }
}

/** Runs up to 8 calls at a time; yields their values in order. */
export async function* inBatches<T>(
  calls: readonly (() => Promise<T>)[],
): AsyncGenerator<{ index: number; value: T }, void> {
  for (let at = 0; at < calls.length; at += READ_AT_ONCE) {
    const values = await Promise.all(calls.slice(at, at + READ_AT_ONCE).map((call) => call()));
    for (const [offset, value] of values.entries()) yield { index: at + offset, value };
  }
}

/** Limits `filter` to dead letters that existed at `now`, so that a run does not redrive the dead letters that it causes. */
export function createdUntil(now: Date, filter: Filter): Filter {
  return { ...filter, to: filter.to && filter.to < now ? filter.to : now };
}

/** Yields the dead letters that match `listing`. */
export async function* deadLettersOf(stores: ReadStores, listing: Listing): AsyncGenerator<ListedDeadLetter, void> {
  for await (const { deadLetter } of scanDeadLetters(stores, listing)) if (deadLetter) yield deadLetter;
}

function mayHold(stage: ListedStage, filter: Filter): boolean {
  if (filter.stage !== undefined && filter.stage !== stage) return false;
  return filter.workflow === undefined || filter.workflow === NONE || STAGES_WITH_WORKFLOW.includes(stage);
}

async function* pagesOfStage(
  { blobs, undelivered }: ReadStores,
  stage: ListedStage,
  { isResolved = false, page: first }: Listing & { page?: string | undefined },
): AsyncGenerator<BlobsPage, void> {
  const isUndelivered = stage === 'undelivered';
  if (!isResolved) {
    yield* isUndelivered ? undeliveredBlobs(undelivered, first) : pendingPages(blobs, stage, first);
    return;
  }
  const [container, prefix] = isUndelivered ? [undelivered, RESOLVED] : [blobs, `${RESOLVED}${stage}/`];
  for await (const { answer, page } of blobPages(container, prefix, first)) {
    const named = answer.blobs.map((blob) => ({ ...blob, name: blob.name.slice(RESOLVED.length) }));
    yield { blobs: named, page, next: answer.next };
  }
}

/** Returns whether a blob was written in the time that `filter` names. */
export function isInTime({ createdAt }: ListedBlob, { from, to }: Filter): boolean {
  return (from === undefined || createdAt >= from) && (to === undefined || createdAt <= to);
}

/** Returns the dead letter of a blob; undefined if the blob was deleted meanwhile. */
export async function readListed(
  { blobs, undelivered }: ReadStores,
  { stage, blob, isResolved = false }: { stage: ListedStage; blob: ListedBlob; isResolved?: boolean | undefined },
): Promise<ListedDeadLetter | undefined> {
  if (stage === 'undelivered') {
    if (isUnreadable(blob.name)) return fromUndelivered(blob, undefined);
    const found = await readUndelivered(isResolved ? RESOLVED + blob.name : blob.name, undelivered);
    return found && fromUndelivered(blob, found.events);
  }
  const listed = fromListing(blob);
  if (listed) return listed;
  const content = await blobs.read(`${isResolved ? RESOLVED : 'pending/'}${blob.name}`);
  return content === undefined ? undefined : fromContent(blob, content);
}

/** Returns whether all fields match. Of several values of a field, one must match. */
function isMatch(deadLetter: ListedDeadLetter, filter: Filter): boolean {
  return FILTER_FIELDS.every((field) => {
    const wanted = filter[field] === NONE ? '' : filter[field];
    return wanted === undefined || deadLetter[field] === wanted || deadLetter[field].split(' ').includes(wanted);
  });
}
