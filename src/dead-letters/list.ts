import type { ListedBlob } from '../storage/blob-store.js';
import { pagesFrom } from '../storage/pages.js';
import { pendingLetters } from '../storage/pending-letters.js';
import {
  type Desk,
  LETTER_STAGES,
  type Letter,
  type LetterStage,
  letterOfContent,
  letterOfListed,
  letterOfUndelivered,
  STAGES_WITH_WORKFLOW,
  WORDS,
  type Word,
} from './letter.js';
import {
  discardedOf,
  eventsOf,
  eventsOfBlob,
  isUnreadable,
  MAX_BLOB_BYTES,
  RESOLVED,
  undeliveredBlobs,
} from './undelivered.js';

/** What is left out matches all. */
export type Filter = {
  readonly [W in Word]?: Letter[W] | undefined;
} & {
  /** Written at this time or later, or earlier. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
};

/** Where a list goes on: behind the letter of this name, on this page of storage's. */
export type After = { readonly stage: LetterStage; readonly page?: string | undefined; readonly name: string };

/** `isResolved`: the resolved dead letters in place of the pending ones. */
export type Listing = Filter & { readonly isResolved?: boolean };

type Stores = Pick<Desk, 'letters' | 'undelivered'>;

/** Few at a time: a blob of Event Grid's may hold thousands of events. */
const READ_AT_ONCE = 8;
const PAGE = 1000;

/**
 * Dead letters, stage by stage, in the order of their names: one page of storage's is held, not more. The app's own are
 * known by the listing itself; Event Grid's are read.
 */
export async function* listLetters(
  desk: Stores,
  listing: Listing = {},
  after?: After,
): AsyncGenerator<{ letter: Letter; after: After }, void> {
  for await (const { stage, page, blobs } of listBlobs(desk, listing, after)) {
    const reads = blobs.map((blob) => () => readListed(desk, { stage, blob, isResolved: listing.isResolved }));
    for await (const { index, value: letter } of inBatches(reads)) {
      const { name } = blobs[index] as ListedBlob;
      if (letter && isFitting(letter, listing)) yield { letter, after: { stage, page, name } };
    }
  }
}

/** The blobs whose stage and time fit, without a look at what is in them. */
export async function* listBlobs(
  desk: Stores,
  listing: Listing,
  after?: After,
): AsyncGenerator<{ stage: LetterStage; page: string | undefined; blobs: ListedBlob[] }, void> {
  const stages = after ? LETTER_STAGES.slice(LETTER_STAGES.indexOf(after.stage)) : LETTER_STAGES;
  for (const stage of stages) {
    if (!mayHold(stage, listing)) continue;
    const from = stage === after?.stage ? after : undefined;
    for await (const { letters, page } of pagesOfStage(desk, stage, { ...listing, page: from?.page })) {
      const blobs = letters.filter((blob) => !isBehind(blob, page, from) && isInTime(blob, listing));
      yield { stage, page, blobs };
    }
  }
}

/** Calls a few at a time; gives the values in order. */
export async function* inBatches<T>(
  calls: readonly (() => Promise<T>)[],
): AsyncGenerator<{ index: number; value: T }, void> {
  for (let at = 0; at < calls.length; at += READ_AT_ONCE) {
    const values = await Promise.all(calls.slice(at, at + READ_AT_ONCE).map((call) => call()));
    for (const [offset, value] of values.entries()) yield { index: at + offset, value };
  }
}

/** `filter`, for what was there at `now`: what dies again while something is done with those is not taken again. */
export function thereAt(now: Date, filter: Filter): Filter {
  return { ...filter, to: filter.to && filter.to < now ? filter.to : now };
}

/** The letters alone. */
export async function* lettersOf(desk: Stores, listing: Listing): AsyncGenerator<Letter, void> {
  for await (const { letter } of listLetters(desk, listing)) yield letter;
}

function mayHold(stage: LetterStage, filter: Filter): boolean {
  if (filter.stage !== undefined && filter.stage !== stage) return false;
  return filter.workflow === undefined || STAGES_WITH_WORKFLOW.includes(stage);
}

async function* pagesOfStage(
  { letters, undelivered }: Stores,
  stage: LetterStage,
  { isResolved = false, page: first }: Listing & { page?: string | undefined },
): AsyncGenerator<{ letters: ListedBlob[]; page: string | undefined }, void> {
  const isUndelivered = stage === 'undelivered';
  if (!isResolved) {
    yield* isUndelivered
      ? undeliveredBlobs(undelivered, { page: first })
      : pendingLetters(letters, stage, { page: first });
    return;
  }
  const [blobs, prefix] = isUndelivered ? [undelivered, RESOLVED] : [letters, `${RESOLVED}${stage}/`];
  for await (const { answer, page } of pagesFrom(first, (from) => blobs.list(prefix, { limit: PAGE, ...from }))) {
    yield { letters: answer.blobs.map((blob) => ({ ...blob, name: blob.name.slice(RESOLVED.length) })), page };
  }
}

/** Already told: only on the page with which the list goes on. */
function isBehind({ name }: ListedBlob, page: string | undefined, from: After | undefined): boolean {
  return from !== undefined && page === from.page && name <= from.name;
}

function isInTime({ createdAt }: ListedBlob, { from, to }: Filter): boolean {
  return (from === undefined || createdAt >= from) && (to === undefined || createdAt <= to);
}

/** Undefined where the blob has gone meanwhile. */
export async function readListed(
  { letters, undelivered }: Stores,
  { stage, blob, isResolved = false }: { stage: LetterStage; blob: ListedBlob; isResolved?: boolean | undefined },
): Promise<Letter | undefined> {
  if (stage === 'undelivered') {
    if (isUnreadable(blob.name)) return letterOfUndelivered(blob, undefined);
    const read = await undelivered.readText(isResolved ? RESOLVED + blob.name : blob.name, MAX_BLOB_BYTES);
    if (!read) return undefined;
    const put = isResolved && read.kind === 'text' ? discardedOf(read.text) : undefined;
    return letterOfUndelivered(blob, put ? eventsOf(put.content) : eventsOfBlob(read));
  }
  const told = letterOfListed(blob);
  if (told) return told;
  const content = await letters.read(`${isResolved ? RESOLVED : 'pending/'}${blob.name}`);
  return content === undefined ? undefined : letterOfContent(blob, content);
}

/** Of Event Grid's, which have several of each, one must be as asked. */
function isFitting(letter: Letter, filter: Filter): boolean {
  return WORDS.every((word) => {
    const asked = filter[word];
    return asked === undefined || letter[word] === asked || letter[word].split(' ').includes(asked);
  });
}
