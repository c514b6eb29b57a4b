import { eventErrorOf, type RawEvent } from '../events/accept.js';
import type { ListedBlob } from '../storage/blob-store.js';
import { StorageError } from '../storage/table-store.js';
import { addDeliveries, withJson } from './add-row.js';
import { deadLettersOfInvalid, type InvalidEvent } from './store/invalid.js';
import type { DeadLetterStores } from './stores.js';
import {
  isUnreadable,
  moveUnreadable,
  RESOLVED,
  readUndelivered,
  type Undelivered,
  undeliveredBlobs,
} from './undelivered.js';

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

/** A run of the timer stops after this number of events. The next run imports the rest. */
const MAX_EVENTS = 5000;
/** The maximum of blob names in memory: those of the oldest blobs. */
const MAX_NAMES = 1000;
/** After this number of failures in a row, storage is down. Fewer failures concern single blobs. */
const MAX_FAILURES_IN_A_ROW = 3;

/** `unreadable`: blobs moved to `unreadable/`. `failed`: blobs that storage did not return. */
export type ImportedAll = { blobs: number; events: number; unreadable: number; failed: number };

/**
 * Imports Event Grid's dead letters, the oldest first, if the app is healthy. A blob that cannot be imported, such as
 * an archived one, does not hold up newer blobs.
 */
export async function importAllUndelivered(
  stores: DeadLetterStores,
  isHealthy: () => Promise<boolean>,
): Promise<ImportedAll> {
  const done: ImportedAll = { blobs: 0, events: 0, unreadable: 0, failed: 0 };
  let failuresInARow = 0;
  let blobs = await oldest(stores);
  if (blobs.length === 0 || !(await isHealthy())) return done;
  while (blobs.length > 0) {
    for (const { name } of blobs) {
      if (done.events >= MAX_EVENTS) return done;
      const imported = await importUndelivered(name, stores).catch(failed);
      if (imported.kind === 'failed') continue;
      failuresInARow = 0;
      if (imported.kind === 'unreadable') done.unreadable += 1;
      if (imported.kind !== 'taken-up') continue;
      done.blobs += 1;
      done.events += imported.events;
    }
    if (done.blobs > 0 || blobs.length < MAX_NAMES) return done;
    blobs = await oldest(stores, blobs.at(-1));
  }
  return done;

  function failed(error: unknown): { kind: 'failed' } {
    failuresInARow += 1;
    if (!(error instanceof StorageError) || failuresInARow >= MAX_FAILURES_IN_A_ROW) throw error;
    done.failed += 1;
    return { kind: 'failed' };
  }
}

/** Returns the oldest blobs after `last`. Names do not sort by time: Event Grid writes days and hours without zeros. */
async function oldest({ undelivered }: DeadLetterStores, last?: ListedBlob): Promise<ListedBlob[]> {
  let found: ListedBlob[] = [];
  for await (const { blobs } of undeliveredBlobs(undelivered)) {
    const later = blobs.filter((blob) => !isUnreadable(blob.name) && (!last || byAge(last, blob) < 0));
    found = [...found, ...later].sort(byAge);
    found.length = Math.min(found.length, MAX_NAMES);
  }
  return found;
}

/** Sorts by time, then by name, so that blobs of the same second have one order. */
function byAge(one: ListedBlob, other: ListedBlob): number {
  return one.createdAt.getTime() - other.createdAt.getTime() || (one.name < other.name ? -1 : 1);
}
