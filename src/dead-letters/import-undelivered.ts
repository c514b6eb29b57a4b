import { eventErrorOf, type RawEvent } from '../events/accept.js';
import { addDeliveries, withJson } from './add-row.js';
import { deadLettersOfInvalid, type InvalidEvent } from './store/invalid.js';
import type { DeadLetterStores } from './stores.js';
import { moveUnreadable, RESOLVED, readUndelivered, type Undelivered } from './undelivered.js';

type Imported =
  /** Each event has a row in `waiting`, or is in a dead letter. */
  | { kind: 'taken-up'; events: number }
  /** The blob is in `resolved/`, or never existed. */
  | { kind: 'gone' }
  /** The blob is not a list of events, and is now in `unreadable/`. */
  | { kind: 'unreadable' };

const WRITTEN_AT_ONCE = 32;

/**
 * Imports a dead letter of Event Grid: its events become rows in `waiting`, as if they had just been delivered, then
 * the blob moves to `resolved/` (R3). Invalid events become dead letters at once, which many events share: rows for 100,000
 * invalid events would delay other jobs. A blob that is not a list of events moves to `unreadable/` (R9).
 *
 *   process dies before the copy    the next import adds all rows again: the ledger knows the events that have run
 *   process dies after the copy     the blob is in both places: the next import adds no row, and ends the move (R6)
 *   two processes at once           the events get two rows each, and the ledger knows their jobs; the first copy stays
 */
export async function importUndelivered(name: string, stores: DeadLetterStores): Promise<Imported> {
  const found = await readUndelivered(name, stores.undelivered);
  if (!found) return { kind: 'gone' };
  if (await isResolved(name, stores)) {
    await stores.undelivered.delete(name);
    return { kind: 'gone' };
  }
  if (!found.events) {
    await moveUnreadable(name, stores.undelivered);
    return { kind: 'unreadable' };
  }
  const { valid, invalid } = split(deliveredOf(found.events));
  await writeInvalid(invalid, stores);
  await addDeliveries(valid, stores);
  await stores.undelivered.create(RESOLVED + name, found.read.text);
  await stores.undelivered.delete(name);
  return { kind: 'taken-up', events: found.events.length };
}

/** Returns the events as Event Grid would have delivered them. */
export function deliveredOf(events: readonly Undelivered[]): RawEvent[] {
  return events.map(({ delivered }) => withJson(delivered));
}

/** Returns whether a blob was imported or discarded. */
export async function isResolved(
  name: string,
  { undelivered }: Pick<DeadLetterStores, 'undelivered'>,
): Promise<boolean> {
  const { blobs } = await undelivered.list(RESOLVED + name, { limit: 1 });
  return blobs[0]?.name === RESOLVED + name;
}

/** Separates valid from invalid events. Invalid events with the same text count once, as in a POST. */
function split(events: readonly RawEvent[]): { valid: RawEvent[]; invalid: InvalidEvent[] } {
  const valid: RawEvent[] = [];
  const invalid = new Map<string, InvalidEvent>();
  for (const event of events) {
    const error = eventErrorOf(event);
    if (error) invalid.set(event.json, { ...event, error });
    else valid.push(event);
  }
  return { valid, invalid: [...invalid.values()] };
}

// A process that dies before or between the writes: the next import writes the missing ones, by the same names.
async function writeInvalid(events: readonly InvalidEvent[], { deadLetters, clock }: DeadLetterStores): Promise<void> {
  const all = deadLettersOfInvalid(events, clock.now());
  for (let at = 0; at < all.length; at += WRITTEN_AT_ONCE) {
    await Promise.all(all.slice(at, at + WRITTEN_AT_ONCE).map(({ deadLetter }) => deadLetters.write(deadLetter)));
  }
}
