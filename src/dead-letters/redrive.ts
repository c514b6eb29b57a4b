import { InvalidEventError, type Problem } from '../events/invalid-event-error.js';
import { loggableFieldsOf } from '../events/loggable-fields.js';
import { parseEvent } from '../events/parse.js';
import { isTooLarge } from '../events/size.js';
import { toJson } from '../json-text.js';
import { isAddress } from '../storage/address.js';
import { eventsOfLetter, readLetter, type StoredLetter } from '../storage/dead-letters.js';
import type { JobRecord, Result } from '../storage/ledger.js';
import { type LetterName, nameOfJobLetter, partsOfName } from '../storage/letter-names.js';
import { addRow } from './add-row.js';
import { writeEdit } from './edits.js';
import { type Desk, placeOfLetter } from './letter.js';
import { addDeliveries, deliveredOf, eventIdDigestOf, takeUp } from './take-up.js';
import { discardedOf, eventsOf, eventsOfBlob, MAX_BLOB_BYTES, RESOLVED } from './undelivered.js';

export type RedriveOptions = {
  /** Who asks: for the note beside a corrected payload. */
  readonly by: string;
  /** Also what was redriven so often already, and what is no event to this version. */
  readonly isForced?: boolean;
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
  /** A corrected payload in place of the one that the letter holds. */
  readonly event?: unknown;
};

export type Redriven =
  /** There is a row; `look` says what has become of it so far. */
  | { kind: 'asked'; look: Look }
  | { kind: 'taken-up'; events: number }
  | { kind: 'not-an-event'; problems: readonly Problem[] }
  | { kind: Exclude<Skipped, 'not-an-event'> };

/** `picked-up`: the app has begun, and there is no outcome yet; `open`: the app has not even begun. */
export type Look = () => Promise<Outcome | 'picked-up'>;

export type Skipped =
  /** No letter of this id is pending: it is resolved, or was never there. */
  | 'gone'
  /** The ledger says that its job is completed or superseded, or has died once more: there is nothing to redrive. */
  | 'over'
  /** A redrive is under way, or the letter is being written at this moment. */
  | 'under-way'
  /** Redriven `MOST_REDRIVES` times in vain: somebody must look, and force it. */
  | 'too-often'
  /** No row can hold the event. */
  | 'too-large'
  /** The blob is no dead letter, or no list of events. */
  | 'unreadable'
  /** Nor is it an event to this version, corrected or not: force it where the app is newer. */
  | 'not-an-event'
  /** The corrected payload has another id than the event whose job would run it. */
  | 'another-event'
  /** It holds several events: none of them is the one that was corrected. */
  | 'not-editable';

export type Outcome =
  | Result
  /** Nothing has become of it yet. */
  | 'open'
  /** It has failed, and will be tried again. */
  | 'failing'
  /** An invalid event that is one now; and one that still is none. */
  | 'taken-in'
  | 'invalid-again';

export const MOST_REDRIVES = 3;

/** With these a job waits for something that is no fault of its own. */
const NO_FAILURE: readonly string[] = ['', 'resource-busy', 'resource-lost', 'lease-lost'];

/**
 * Asks the app to run a dead letter again: a row in `waiting`, which goes through the pipeline as any other. Who moves
 * the letter is the pipeline, when the job is settled or waits for its next try under a later number; of an invalid
 * event, when it is taken in.
 *
 *   dies before the row       nothing has happened, but perhaps a corrected payload that nobody runs
 *   dies after the row        the app does the rest
 *   twice, or two at once     two rows of one number: the first reopens the job, the second finds its number there and
 *                             goes; of an invalid event, the second is a redelivery
 *   the job is over meanwhile the row finds that, and goes: a completed job is never reopened
 */
export async function redriveLetter(id: string, options: RedriveOptions, desk: Desk): Promise<Redriven> {
  const place = placeOfLetter(id);
  if (!place) return { kind: 'gone' };
  if (place.kind === 'undelivered') return redriveUndelivered(place.name, options, desk);
  const content = await readPending(place.name, desk);
  if (content === undefined) return { kind: 'gone' };
  const letter = readLetter(content);
  if (!letter || !isAsNamed(place.name, letter)) return { kind: 'unreadable' };

  if (letter.causes) return redriveBatch(place.name, letter, options, desk);
  const event = options.event ?? letter.event;
  if (isTooLarge(toJson(event))) return { kind: 'too-large' };
  const problems = problemsOfEvent(event);
  if (problems && !(options.isForced && options.event === undefined)) return { kind: 'not-an-event', problems };
  return letter.address === undefined
    ? redriveInvalid(place.name, letter, event, options, desk)
    : redriveJob(place.name, { ...letter, address: letter.address }, event, options, desk);
}

async function redriveJob(
  name: LetterName,
  letter: StoredLetter & { address: string },
  event: unknown,
  options: RedriveOptions,
  desk: Desk,
): Promise<Redriven> {
  const { address, redrives } = letter;
  if (loggableFieldsOf(event).eventId !== loggableFieldsOf(letter.event).eventId) return { kind: 'another-event' };
  const current = await desk.ledger.read(address);
  const obstacle = obstacleTo(letter, current?.record);
  if (obstacle) return { kind: obstacle };
  if (redrives >= MOST_REDRIVES && !options.isForced) return { kind: 'too-often' };
  const redrive = redrives + 1;
  const look = async () => outcomeOf((await desk.ledger.read(address))?.record, redrive);
  if (options.isDryRun) return { kind: 'asked', look };

  const edit = (await noteEdit(name, redrive, options, desk)) ?? letter.edit;
  const of = { kind: 'job' as const, address, redrive, letter: name, ...(edit !== undefined && { edit }) };
  await addRow({ isLong: letter.isLong ?? false, event: toJson(event), of }, desk);
  return { kind: 'asked', look };
}

/** Why there is nothing to redrive. A record that has expired is made anew. */
export function obstacleTo(
  { redrives }: { redrives: number },
  record: JobRecord | undefined,
): 'under-way' | 'over' | undefined {
  if (!record) return undefined;
  const { state } = record;
  if (state.kind !== 'settled') return 'under-way';
  return state.result === 'dead' && record.redrives <= redrives ? undefined : 'over';
}

/** What has become of redrive number `redrive`. */
export function outcomeOf(record: JobRecord | undefined, redrive: number): Outcome | 'picked-up' {
  if (!record || record.redrives < redrive) return 'open';
  const { state, errorCode } = record;
  if (state.kind === 'settled') return state.result;
  return state.kind === 'waiting' && !NO_FAILURE.includes(errorCode) ? 'failing' : 'picked-up';
}

async function redriveInvalid(
  name: LetterName,
  letter: StoredLetter,
  event: unknown,
  options: RedriveOptions,
  desk: Desk,
): Promise<Redriven> {
  const json = toJson(event);
  const row = {
    isLong: false,
    event: json,
    of: { kind: 'delivery' as const, eventIdDigest: eventIdDigestOf(event, json), letter: name },
  };
  if (options.isDryRun) return { kind: 'asked', look: async () => 'open' };
  await noteEdit(name, letter.redrives + 1, options, desk);
  const added = await addRow(row, desk);
  return {
    kind: 'asked',
    async look() {
      if (await desk.waiting.isThere(added.row, added.name)) return 'open';
      return (await desk.letters.read(`pending/${name}`)) === undefined ? 'taken-in' : 'invalid-again';
    },
  };
}

/**
 * Several invalid events in one dead letter: a row for each, as if Event Grid had just delivered it, then the dead letter
 * moves. An event that is still invalid gets a dead letter of its own.
 *
 *   dies before the move   the next one adds all rows again: jobs and dead letters that are there already stay as they are
 *   two at once            the same; one of them moves it
 */
async function redriveBatch(
  name: LetterName,
  letter: StoredLetter,
  { event, isForced, isDryRun }: RedriveOptions,
  desk: Desk,
): Promise<Redriven> {
  if (event !== undefined) return { kind: 'not-editable' };
  const events = eventsOfLetter(letter);
  if (events.every((raw) => isTooLarge(toJson(raw)))) return { kind: 'too-large' };
  if (!isForced && events.every(problemsOfEvent)) {
    return { kind: 'not-an-event', problems: problemsOfEvent(events[0]) ?? [] }; // of thousands, the first says enough
  }
  if (!isDryRun) {
    await addDeliveries(events, desk);
    await desk.deadLetters.move(name);
  }
  return { kind: 'taken-up', events: events.length };
}

/** One that was discarded stays where it is, with its note, as a letter does. */
async function redriveUndelivered(name: string, { isDryRun, event }: RedriveOptions, desk: Desk): Promise<Redriven> {
  if (event !== undefined) return { kind: 'not-editable' };
  const resolved = await desk.undelivered.readText(RESOLVED + name, MAX_BLOB_BYTES);
  const put = resolved?.kind === 'text' ? discardedOf(resolved.text) : undefined;
  if (!put && !isDryRun) return takeUp(name, desk);
  const read = put ? undefined : await desk.undelivered.readText(name, MAX_BLOB_BYTES);
  if (!put && !read) return { kind: 'gone' };
  const events = put ? eventsOf(put.content) : read && eventsOfBlob(read);
  if (!events) return { kind: 'unreadable' };
  if (!isDryRun) await addDeliveries(deliveredOf(events), desk);
  return { kind: 'taken-up', events: events.length };
}

/** A blob that somebody else has written may say anything of a job: its row would come again and again. */
function isAsNamed(name: LetterName, { address, redrives }: StoredLetter): boolean {
  const stage = partsOfName(name)?.stage;
  if (stage === undefined || stage === 'invalid') return stage === 'invalid' && address === undefined;
  return isAddress(address) && nameOfJobLetter(stage, address, redrives) === name;
}

/** One that was discarded may be asked for all the same. One in both places is over: that is for the ledger to say. */
async function readPending(name: LetterName, { letters }: Pick<Desk, 'letters'>): Promise<string | undefined> {
  const pending = await letters.read(`pending/${name}`);
  if (pending !== undefined) return pending;
  const resolved = await letters.read(`resolved/${name}`);
  return resolved !== undefined && readLetter(resolved)?.discarded ? resolved : undefined;
}

async function noteEdit(
  letter: LetterName,
  redrive: number,
  { event, by }: RedriveOptions,
  { letters, clock }: Desk,
): Promise<string | undefined> {
  if (event === undefined) return undefined;
  return writeEdit(letters, { letter, by, at: clock.now().toISOString(), event }, redrive);
}

/** Undefined where `raw` is an event. */
function problemsOfEvent(raw: unknown): readonly Problem[] | undefined {
  try {
    parseEvent(raw);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidEventError) return error.problems;
    throw error;
  }
}
