import { readLetter, type StoredLetter } from '../storage/dead-letters.js';
import type { LetterName } from '../storage/letter-names.js';
import { findEdits } from './edits.js';
import { type Desk, type Letter, letterOfContent, letterOfUndelivered, placeOfLetter } from './letter.js';
import { textOfProblem } from './problem-text.js';
import { discardedOf, eventsOf, MAX_BLOB_BYTES, noteBeside, parsedOr, RESOLVED } from './undelivered.js';

/** All that is known of a dead letter but its payload and the message of its error, which may quote a payload. */
export type Shown = Omit<Letter, 'at'> & {
  readonly isResolved: boolean;
  /** Of Event Grid's: where it is in the container `undelivered`. */
  readonly blob?: string;
  readonly tries?: number;
  readonly crashes?: number;
  readonly firstTryAt?: string;
  readonly deadLetteredAt?: string;
  readonly errorName?: string;
  /** The app's own text on a blob that it cannot show as it is. */
  readonly note?: string;
  /** `message`: the problem in words, with what is allowed. */
  readonly problems?: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  readonly causes?: StoredLetter['causes'];
  readonly discarded?: { readonly by: string; readonly why: string; readonly at: string };
  /** Corrected payloads of this job, by the names of their blobs. */
  readonly edits?: readonly string[];
};

/** What goes out with the payload alone. `payload` is the event, or a list of events; `message` is text of a workflow. */
export type Clinical = { readonly message?: string; readonly payload: unknown };

/** A dead letter, pending or resolved; undefined where there is none. */
export async function showLetter(
  id: string,
  desk: Pick<Desk, 'letters' | 'undelivered'>,
): Promise<({ shown: Shown } & Clinical) | undefined> {
  const place = placeOfLetter(id);
  if (!place) return undefined;
  if (place.kind === 'undelivered') return showUndelivered(place.name, desk);
  const found = await readAnywhere(place.name, desk);
  return found && showOwn(place.name, found.content, found.isResolved, await findEdits(desk.letters, place.name));
}

/** What is in both places is resolved. */
async function readAnywhere(
  name: LetterName,
  { letters }: Pick<Desk, 'letters'>,
): Promise<{ content: string; isResolved: boolean } | undefined> {
  const resolved = await letters.read(RESOLVED + name);
  if (resolved !== undefined) return { content: resolved, isResolved: true };
  const pending = await letters.read(`pending/${name}`);
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
    ...(problems && { problems: problems.map((problem) => ({ ...problem, message: textOfProblem(problem) })) }),
    ...(causes && { causes }),
    ...(discarded && { discarded }),
    ...(edits.length > 0 && { edits }),
  };
  return { shown, message: error.message, payload: event };
}

async function showUndelivered(name: string, { undelivered }: Pick<Desk, 'undelivered'>) {
  const resolved = await undelivered.readText(RESOLVED + name, MAX_BLOB_BYTES);
  const read = resolved ?? (await undelivered.readText(name, MAX_BLOB_BYTES));
  if (!read) return undefined;
  const isResolved = resolved !== undefined;
  const blob = isResolved ? RESOLVED + name : name;
  if (read.kind === 'not-text') {
    const { at: _, ...told } = letterOfUndelivered({ name, createdAt: AT_SOME_TIME }, undefined);
    const discarded = isResolved && (await noteBeside(blob, undelivered));
    const shown = { ...told, isResolved, blob, note: NOT_TEXT[read.why], ...(discarded && { discarded }) };
    return { shown, payload: read.text };
  }
  const put = isResolved ? discardedOf(read.text) : undefined;
  const content = put?.content ?? read.text;
  const { at: _, ...told } = letterOfUndelivered({ name, createdAt: AT_SOME_TIME }, eventsOf(content));
  const shown = { ...told, isResolved, blob, ...(put && { discarded: put.discarded }) };
  return { shown, payload: parsedOr(content) };
}

const NOT_TEXT = {
  'too-large':
    'The blob is larger than 8 MiB, and the payload shown is its beginning. Download the blob to see all of it.',
  'not-utf8':
    'The blob is no UTF-8 text, and the payload shown is not byte for byte. Download the blob to see its bytes.',
};
