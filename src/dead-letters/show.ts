import { toJson } from '../json-text.js';
import { readLetter, type StoredLetter } from '../storage/dead-letters.js';
import { findEdits } from './edits.js';
import { type Desk, type Letter, letterOfContent, letterOfUndelivered, type Place, placeOfLetter } from './letter.js';
import { discardedOf, parsedOr, RESOLVED } from './undelivered.js';

/** All that is known of a letter but its payload. */
export type Shown = Omit<Letter, 'at'> & {
  readonly isResolved: boolean;
  readonly tries?: number;
  readonly crashes?: number;
  readonly firstTryAt?: string;
  readonly deadLetteredAt?: string;
  readonly errorName?: string;
  /** Nothing of the payload is in it: that was taken out when the letter was written. */
  readonly message?: string;
  readonly problems?: StoredLetter['problems'];
  readonly causes?: StoredLetter['causes'];
  readonly discarded?: { readonly by: string; readonly why: string; readonly at: string };
  /** Corrected payloads of this job, by the names of their blobs. */
  readonly edits?: readonly string[];
};

/** A letter, pending or resolved; undefined where there is none. `payload`: the event that it holds, or the list of events. */
export async function showLetter(
  id: string,
  desk: Pick<Desk, 'letters' | 'undelivered'>,
): Promise<{ shown: Shown; payload: unknown } | undefined> {
  const place = placeOfLetter(id);
  const found = place && (await readAnywhere(place, desk));
  if (!place || !found) return undefined;
  const { content, isResolved } = found;
  return place.kind === 'letter'
    ? showOwn(place.name, content, isResolved, await findEdits(desk.letters, place.name))
    : showUndelivered(place.name, content, isResolved);
}

/** What is in both places is resolved. */
async function readAnywhere(
  { kind, name }: Place,
  { letters, undelivered }: Pick<Desk, 'letters' | 'undelivered'>,
): Promise<{ content: string; isResolved: boolean } | undefined> {
  const blobs = kind === 'letter' ? letters : undelivered;
  const resolved = await blobs.read(RESOLVED + name);
  if (resolved !== undefined) return { content: resolved, isResolved: true };
  const pending = await blobs.read(kind === 'letter' ? `pending/${name}` : name);
  return pending === undefined ? undefined : { content: pending, isResolved: false };
}

/** When the blob was written is told by a list only. */
const AT_SOME_TIME = new Date(0);

function showOwn(name: string, content: string, isResolved: boolean, edits: string[]) {
  const { at: _, ...told } = letterOfContent({ name, createdAt: AT_SOME_TIME }, content);
  const letter = readLetter(content);
  if (!letter) return { shown: { ...told, isResolved }, payload: content };
  const { tries, crashes, firstTryAt, deadLetteredAt, error, problems, causes, discarded, event } = letter;
  const shown: Shown = {
    ...told,
    isResolved,
    tries,
    ...(crashes !== undefined && { crashes }),
    ...(firstTryAt !== undefined && { firstTryAt }),
    deadLetteredAt,
    errorName: error.name,
    message: error.message,
    ...(problems && { problems }),
    ...(causes && { causes }),
    ...(discarded && { discarded }),
    ...(edits.length > 0 && { edits }),
  };
  return { shown, payload: event };
}

function showUndelivered(name: string, content: string, isResolved: boolean) {
  const put = isResolved ? discardedOf(content) : undefined;
  const payload = parsedOr(put?.content ?? content);
  const { at: _, ...told } = letterOfUndelivered({ name, createdAt: AT_SOME_TIME }, toJson(payload));
  return { shown: { ...told, isResolved, ...(put && { discarded: put.discarded }) }, payload };
}
