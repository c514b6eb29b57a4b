import type { ListedBlob } from '../storage/blob-store.js';
import { pendingLetters } from '../storage/pending-letters.js';
import {
  type Desk,
  LETTER_STAGES,
  type Letter,
  type LetterStage,
  letterOfContent,
  letterOfListed,
  letterOfUndelivered,
  WORDS,
  type Word,
} from './letter.js';
import { eventsOfBlob, isUnreadable, MAX_BLOB_BYTES, undeliveredBlobs } from './undelivered.js';

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

/** Few at a time: a blob of Event Grid's may hold thousands of events. */
const READ_AT_ONCE = 8;

/**
 * Letters that are pending, stage by stage, in the order of their names: a page of storage's is held, not more. Those
 * of the app are told by the list itself; Event Grid's are read.
 */
export async function* listLetters(
  desk: Pick<Desk, 'letters' | 'undelivered'>,
  filter: Filter = {},
  after?: After,
): AsyncGenerator<{ letter: Letter; after: After }, void> {
  const stages = after ? LETTER_STAGES.slice(LETTER_STAGES.indexOf(after.stage)) : LETTER_STAGES;
  for (const stage of stages) {
    if (!mayHold(stage, filter)) continue;
    const from = stage === after?.stage ? after : undefined;
    for await (const { letters, page } of pagesOfStage(desk, stage, from?.page)) {
      const fitting = letters.filter((blob) => !isBehind(blob, page, from) && isInTime(blob, filter));
      for (let at = 0; at < fitting.length; at += READ_AT_ONCE) {
        const some = fitting.slice(at, at + READ_AT_ONCE);
        const told = await Promise.all(some.map((blob) => describe(desk, stage, blob)));
        for (const [index, letter] of told.entries()) {
          const { name } = some[index] as ListedBlob;
          if (letter && isFitting(letter, filter)) yield { letter, after: { stage, page, name } };
        }
      }
    }
  }
}

/** `filter`, for what was there at `now`: what dies again while something is done with those is not taken again. */
export function thereAt(now: Date, filter: Filter): Filter {
  return { ...filter, to: filter.to && filter.to < now ? filter.to : now };
}

/** The letters alone. */
export async function* lettersOf(
  desk: Pick<Desk, 'letters' | 'undelivered'>,
  filter: Filter,
): AsyncGenerator<Letter, void> {
  for await (const { letter } of listLetters(desk, filter)) yield letter;
}

function mayHold(stage: LetterStage, filter: Filter): boolean {
  if (filter.stage !== undefined && filter.stage !== stage) return false;
  return filter.workflow === undefined || (stage !== 'invalid' && stage !== 'undelivered');
}

function pagesOfStage(
  { letters, undelivered }: Pick<Desk, 'letters' | 'undelivered'>,
  stage: LetterStage,
  page?: string,
) {
  return stage === 'undelivered' ? undeliveredBlobs(undelivered, { page }) : pendingLetters(letters, stage, { page });
}

/** Already told: only on the page with which the list goes on. */
function isBehind({ name }: ListedBlob, page: string | undefined, from: After | undefined): boolean {
  return from !== undefined && page === from.page && name <= from.name;
}

function isInTime({ createdAt }: ListedBlob, { from, to }: Filter): boolean {
  return (from === undefined || createdAt >= from) && (to === undefined || createdAt <= to);
}

/** Undefined where it has gone meanwhile. */
async function describe(
  { letters, undelivered }: Pick<Desk, 'letters' | 'undelivered'>,
  stage: LetterStage,
  blob: ListedBlob,
): Promise<Letter | undefined> {
  if (stage === 'undelivered') {
    if (isUnreadable(blob.name)) return letterOfUndelivered(blob, undefined);
    const read = await undelivered.readText(blob.name, MAX_BLOB_BYTES);
    return read && letterOfUndelivered(blob, eventsOfBlob(read));
  }
  const told = letterOfListed(blob);
  if (told) return told;
  const content = await letters.read(`pending/${blob.name}`);
  return content === undefined ? undefined : letterOfContent(blob, content);
}

/** Of Event Grid's, which have several of each, one must be as asked. */
function isFitting(letter: Letter, filter: Filter): boolean {
  return WORDS.every((word) => {
    const asked = filter[word];
    return asked === undefined || letter[word] === asked || letter[word].split(' ').includes(asked);
  });
}
