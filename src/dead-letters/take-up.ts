import { digest } from '../digest.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { isTooLarge } from '../events/size.js';
import { toJson } from '../json-text.js';
import { letterOfInvalid } from '../storage/dead-letters.js';
import { addRow } from './add-row.js';
import type { Desk } from './letter.js';
import { eventsOfBlob, MAX_BLOB_BYTES, moveUnreadable, RESOLVED, type Undelivered } from './undelivered.js';

export type TakenUp =
  /** Each event has a row in `waiting`, or a dead letter of its own. */
  | { kind: 'taken-up'; events: number }
  /** It is in resolved/ already, or was never there. */
  | { kind: 'gone' }
  /** No list of events: it is in unreadable/. */
  | { kind: 'unreadable' };

/** Each event is a row of 1 KB or so, and rows added at the same time share transactions. */
const ADDED_AT_ONCE = 500;

/**
 * Takes up what Event Grid gave up on: the events of a blob become rows in `waiting`, as if they had just been
 * delivered, then the blob moves to resolved/.
 *
 *   dies before all rows are added   the next one adds all of them: the ledger knows those that have run
 *   dies after them                  the same
 *   dies after the copy              it is in both places: the next one adds no row, and ends the move
 *   two at once                      rows come twice, and the ledger knows them; the first copy stands
 *
 * A blob that is no list of events moves to unreadable/, so that it holds up no other: see moveUnreadable.
 */
export async function takeUp(name: string, desk: Desk): Promise<TakenUp> {
  const read = await desk.undelivered.readText(name, MAX_BLOB_BYTES);
  if (!read) return { kind: 'gone' };
  if (await isResolved(name, desk)) {
    await desk.undelivered.delete(name);
    return { kind: 'gone' };
  }
  const events = eventsOfBlob(read);
  if (!events) {
    await moveUnreadable(name, desk.undelivered);
    return { kind: 'unreadable' };
  }
  await addDeliveries(deliveredOf(events), desk);
  await desk.undelivered.create(RESOLVED + name, read.text);
  await desk.undelivered.delete(name);
  return { kind: 'taken-up', events: events.length };
}

/** As if they had just been delivered: what has run already does not run again. */
export async function addDeliveries(events: readonly unknown[], desk: Desk): Promise<void> {
  for (let at = 0; at < events.length; at += ADDED_AT_ONCE) {
    await Promise.all(events.slice(at, at + ADDED_AT_ONCE).map((raw) => addDelivery(raw, desk)));
  }
}

export function deliveredOf(events: readonly Undelivered[]): unknown[] {
  return events.map(({ delivered }) => delivered);
}

export async function isResolved(name: string, { undelivered }: Pick<Desk, 'undelivered'>): Promise<boolean> {
  const { blobs } = await undelivered.list(RESOLVED + name, { limit: 1 });
  return blobs[0]?.name === RESOLVED + name;
}

/** What a row cannot hold is the dead letter that its delivery would have made. */
async function addDelivery(raw: unknown, desk: Desk): Promise<void> {
  const json = toJson(raw);
  if (isTooLarge(json)) {
    const error = new InvalidEventError('too-large', [{ path: '(event)', code: 'too-large' }]);
    return desk.deadLetters.write(letterOfInvalid(raw, error, desk.clock.now()));
  }
  const of = { kind: 'delivery' as const, eventIdDigest: eventIdDigestOf(raw, json) };
  await addRow({ isLong: false, event: json, of }, desk);
}

/** By which people who ask for an event id find the row. What has none must be somewhere, too. */
export function eventIdDigestOf(raw: unknown, json: string): string {
  const { id } = Object(raw) as { id?: unknown };
  return digest(typeof id === 'string' ? id : json);
}
