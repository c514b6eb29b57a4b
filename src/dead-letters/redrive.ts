import { digest } from '../digest.js';
import { eventErrorOf, type RawEvent } from '../events/accept.js';
import { loggableFieldsOf } from '../events/loggable-fields.js';
import { isAddress } from '../storage/address.js';
import { addDeliveries, addDelivery, addRow, withJson } from './add-row.js';
import { writeEdit } from './edits.js';
import { placeOfId } from './ids.js';
import { deliveredOf, importUndelivered } from './import-undelivered.js';
import { obstacleTo, outcomeOf, type Redriven } from './redrive-result.js';
import { eventsOfDeadLetter, readDeadLetter, type StoredDeadLetter } from './store/dead-letter.js';
import { type DeadLetterName, nameOfJob, partsOfName } from './store/names.js';
import type { DeadLetterStores } from './stores.js';
import { RESOLVED, readUndelivered, type UndeliveredBlob } from './undelivered.js';

export type RedriveOptions = {
  /** The person who redrives, for the note beside a corrected payload. */
  readonly by: string;
  /** Also redrives after `MAX_REDRIVES`, and a payload that this version does not accept. */
  readonly isForced?: boolean;
  /** Returns the result that a redrive would have, and changes nothing. */
  readonly isDryRun?: boolean;
  /** A corrected payload in place of that in the dead letter. */
  readonly event?: unknown;
};

type Found = {
  readonly name: DeadLetterName;
  readonly deadLetter: StoredDeadLetter;
  /** The event that runs again: the corrected payload, or that of the dead letter. */
  readonly event: RawEvent;
};

/** After this number of redrives without success, a person must find the cause. */
export const MAX_REDRIVES = 3;

/**
 * Requests that the app runs a dead letter again: adds a row to `waiting`, which the pipeline handles as any other. The
 * pipeline moves the dead letter once the job is settled or waits for its next try (R4), or the event is valid (R5).
 *
 *   process dies before the row    nothing has changed, except perhaps a corrected payload in storage that no job runs
 *   process dies after the row     the app handles the row
 *   twice, or two at once          two rows of one number: the first reopens the job, the second changes nothing (R1);
 *                                  for an invalid event, the second row is a redelivery
 *   the job ends meanwhile         the row changes nothing: a completed job is never reopened (R2)
 */
export async function redriveDeadLetter(
  id: string,
  options: RedriveOptions,
  stores: DeadLetterStores,
): Promise<Redriven> {
  const place = placeOfId(id);
  if (!place) return { kind: 'gone' };
  if (place.kind === 'undelivered') return redriveUndelivered(place.name, options, stores);
  const { name } = place;
  const content = await readRedrivable(name, stores);
  if (content === undefined) return { kind: 'gone' };
  const deadLetter = readDeadLetter(content);
  if (!deadLetter || !isAsNamed(name, deadLetter)) return { kind: 'unreadable' };

  if (deadLetter.causes) return redriveBatch({ name, deadLetter }, options, stores);
  const event = withJson(options.event ?? deadLetter.event);
  const error = eventErrorOf(event);
  if (error?.reason === 'too-large') return { kind: 'too-large' };
  if (error && !(options.isForced && options.event === undefined))
    return { kind: 'not-an-event', problems: error.problems };
  const found = { name, deadLetter, event };
  return deadLetter.address === undefined ? redriveInvalid(found, options, stores) : redriveJob(found, options, stores);
}

async function redriveJob(found: Found, options: RedriveOptions, stores: DeadLetterStores): Promise<Redriven> {
  const { name, deadLetter, event } = found;
  const { address = '', redrives, isLong = false } = deadLetter;
  const { eventId } = loggableFieldsOf(deadLetter.event);
  if (loggableFieldsOf(event.raw).eventId !== eventId) return { kind: 'another-event' };
  const current = await stores.ledger.read(address);
  const obstacle = obstacleTo(deadLetter, current?.record);
  if (obstacle) return { kind: obstacle };
  if (redrives >= MAX_REDRIVES && !options.isForced) return { kind: 'too-often' };
  const redrive = redrives + 1; // R1
  const readOutcome = async () => outcomeOf((await stores.ledger.read(address))?.record, redrive);
  if (options.isDryRun) return { kind: 'asked', readOutcome };

  const edit = (await storeEdit(found, options, stores)) ?? deadLetter.edit;
  const eventIdDigest = digest(String(eventId));
  const job = { kind: 'job' as const, address, eventIdDigest, redrive };
  const item = { ...job, deadLetter: name, ...(edit !== undefined && { edit }) };
  await addRow({ isLong, event: event.json, item }, stores);
  return { kind: 'asked', readOutcome };
}

async function redriveInvalid(found: Found, options: RedriveOptions, stores: DeadLetterStores): Promise<Redriven> {
  if (options.isDryRun) return { kind: 'asked', readOutcome: async () => 'open' };
  const { name, event } = found;
  await storeEdit(found, options, stores);
  const added = await addDelivery(event, stores, { deadLetter: name });
  return {
    kind: 'asked',
    async readOutcome() {
      if (await stores.waiting.isThere(added.row, added.name)) return 'open';
      return (await stores.blobs.read(`pending/${name}`)) === undefined ? 'taken-in' : 'invalid-again';
    },
  };
}

/**
 * Adds a row for each of several invalid events, as if Event Grid had just delivered it, then moves the dead letter. An
 * event that is still invalid gets its own dead letter.
 *
 *   process dies before the move    the next redrive adds all rows again: jobs and dead letters that exist stay
 *   two processes at once           the same; one of them moves the dead letter
 */
async function redriveBatch(
  { name, deadLetter }: Omit<Found, 'event'>,
  { event, isForced, isDryRun }: RedriveOptions,
  stores: DeadLetterStores,
): Promise<Redriven> {
  if (event !== undefined) return { kind: 'not-editable' };
  const events = eventsOfDeadLetter(deadLetter).map(withJson);
  const errors = events.map((one) => eventErrorOf(one));
  if (errors.every((error) => error?.reason === 'too-large')) return { kind: 'too-large' };
  if (!isForced && errors.every((error) => error)) {
    return { kind: 'not-an-event', problems: errors[0]?.problems ?? [] }; // the first of thousands is enough
  }
  if (!isDryRun) {
    // R3: rows before the move
    await addDeliveries(events, stores);
    await stores.deadLetters.move(name);
  }
  return { kind: 'taken-up', events: events.length };
}

/**
 * Imports a blob of Event Grid. The events of a discarded blob get rows too, but the blob stays in `resolved/` with its note.
 */
async function redriveUndelivered(
  name: string,
  { isDryRun = false, event }: RedriveOptions,
  stores: DeadLetterStores,
): Promise<Redriven> {
  if (event !== undefined) return { kind: 'not-editable' };
  const resolved = await readUndelivered(RESOLVED + name, stores.undelivered);
  if (resolved?.discarded) return redriveEventsOf(resolved, isDryRun, stores);
  if (!isDryRun) return importUndelivered(name, stores);
  const pending = await readUndelivered(name, stores.undelivered);
  return pending ? redriveEventsOf(pending, isDryRun, stores) : { kind: 'gone' };
}

/** Adds a row for each event of a blob of Event Grid; with `isDryRun`, only counts the events. */
async function redriveEventsOf(
  { events }: UndeliveredBlob,
  isDryRun: boolean,
  stores: DeadLetterStores,
): Promise<Redriven> {
  if (!events) return { kind: 'unreadable' };
  if (!isDryRun) await addDeliveries(deliveredOf(events), stores);
  return { kind: 'taken-up', events: events.length };
}

/** Returns whether name and content are of one job: a row for another job would never move this dead letter. */
function isAsNamed(name: DeadLetterName, { address, redrives }: StoredDeadLetter): boolean {
  const stage = partsOfName(name)?.stage;
  if (stage === undefined || stage === 'invalid') return stage === 'invalid' && address === undefined;
  return isAddress(address) && nameOfJob(stage, address, redrives) === name;
}

/** Returns a pending or a discarded dead letter. For one in both places (R6), `obstacleTo` checks the job's record. */
async function readRedrivable(
  name: DeadLetterName,
  { blobs }: Pick<DeadLetterStores, 'blobs'>,
): Promise<string | undefined> {
  const pending = await blobs.read(`pending/${name}`);
  if (pending !== undefined) return pending;
  const resolved = await blobs.read(RESOLVED + name);
  return resolved !== undefined && readDeadLetter(resolved)?.discarded ? resolved : undefined;
}

async function storeEdit(
  { name, deadLetter }: Found,
  { event, by }: RedriveOptions,
  { blobs, clock }: DeadLetterStores,
): Promise<string | undefined> {
  if (event === undefined) return undefined;
  return writeEdit(blobs, { letter: name, by, at: clock.now().toISOString(), event }, deadLetter.redrives + 1);
}
