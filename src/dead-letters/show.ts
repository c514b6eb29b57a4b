import type { Problem } from '../events/invalid-event-error.js';
import { findEdits } from './edits.js';
import { placeOfId } from './ids.js';
import { fromContent, fromUndelivered, type ListedDeadLetter } from './listed.js';
import { textOfProblem } from './problem-text.js';
import { readDeadLetter, type StoredDeadLetter } from './store/dead-letter.js';
import type { DeadLetterName } from './store/names.js';
import type { ReadStores } from './stores.js';
import { noteInMetadata, parsedOrText, RESOLVED, readUndelivered } from './undelivered.js';

/** A dead letter without its payload, and without the message of its error, which may quote a payload. */
export type Shown = Omit<ListedDeadLetter, 'at'> &
  Partial<Pick<StoredDeadLetter, 'tries' | 'crashes' | 'firstTryAt' | 'deadLetteredAt' | 'causes' | 'discarded'>> & {
    readonly isResolved: boolean;
    /** Only for Event Grid's dead letters: the name of the blob in their container. */
    readonly blob?: string;
    readonly errorName?: string;
    /** The reason why the payload is not shown as it is. */
    readonly note?: string;
    /** `message`: the problem in words, and what is allowed. */
    readonly problems?: readonly (Problem & { readonly message: string })[];
    /** The names of the blobs with corrected payloads. */
    readonly edits?: readonly string[];
  };

/**
 * The fields that may hold clinical data. `payload` is the event, or a list of events; `message` is text of a workflow.
 */
export type Clinical = { readonly message?: string; readonly payload: unknown };

/** Returns a pending or resolved dead letter; undefined if no dead letter has this id. */
export async function showDeadLetter(
  id: string,
  stores: ReadStores,
): Promise<({ shown: Shown } & Clinical) | undefined> {
  const place = placeOfId(id);
  if (!place) return undefined;
  if (place.kind === 'undelivered') return showUndelivered(place.name, stores);
  const found = await readAnywhere(place.name, stores);
  return found && showOwn(place.name, found, await findEdits(stores.blobs, place.name));
}

/** R6: a dead letter in both places is resolved. */
async function readAnywhere(
  name: DeadLetterName,
  { blobs }: Pick<ReadStores, 'blobs'>,
): Promise<{ content: string; isResolved: boolean } | undefined> {
  const resolved = await blobs.read(RESOLVED + name);
  if (resolved !== undefined) return { content: resolved, isResolved: true };
  const pending = await blobs.read(`pending/${name}`);
  return pending === undefined ? undefined : { content: pending, isResolved: false };
}

/** Only a listing has the time of a blob, so `at` has no value here, and is not shown. */
const UNKNOWN_TIME = new Date(0);

function showOwn(name: string, { content, isResolved }: { content: string; isResolved: boolean }, edits: string[]) {
  const { at: _, ...listed } = fromContent({ name, createdAt: UNKNOWN_TIME }, content);
  const deadLetter = readDeadLetter(content);
  if (!deadLetter) return { shown: { ...listed, isResolved }, payload: content };
  const { tries, crashes, firstTryAt, deadLetteredAt, error, problems, causes, discarded, event } = deadLetter;
  const shown: Shown = {
    ...listed,
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

async function showUndelivered(name: string, { undelivered }: Pick<ReadStores, 'undelivered'>) {
  const resolved = await readUndelivered(RESOLVED + name, undelivered);
  const found = resolved ?? (await readUndelivered(name, undelivered));
  if (!found) return undefined;
  const { read, events } = found;
  const isResolved = resolved !== undefined;
  const blob = isResolved ? RESOLVED + name : name;
  const { at: _, ...listed } = fromUndelivered({ name, createdAt: UNKNOWN_TIME }, events);
  const isText = read.kind === 'text';
  const discarded = isText || !isResolved ? found.discarded : await noteInMetadata(blob, undelivered);
  const note = isText ? {} : { note: NOT_TEXT[read.why] };
  const shown = { ...listed, isResolved, blob, ...note, ...(discarded && { discarded }) };
  return { shown, payload: isText ? parsedOrText(read.text) : read.text };
}

const NOT_TEXT = {
  'too-large':
    'The blob is larger than 8 MiB, and the payload shown is its beginning. Download the blob to see all of it.',
  'not-utf8':
    'The blob is no UTF-8 text, and the payload shown is not byte for byte. Download the blob to see its bytes.',
};
