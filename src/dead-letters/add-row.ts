import { digest } from '../digest.js';
import { type RawEvent, sizeErrorOf } from '../events/accept.js';
import { toJson } from '../json-text.js';
import type { NewRow } from '../storage/waiting.js';
import { deadLetterOfInvalid } from './store/invalid.js';
import type { DeadLetterName } from './store/names.js';
import type { DeadLetterStores } from './stores.js';

type RowStores = Pick<DeadLetterStores, 'waiting' | 'clock' | 'storageNow'>;
type Added = { readonly row: NewRow; readonly name: string };

const ADD_WITHIN_MS = 30_000;
/** Rows that are added at the same time share transactions. A row has about 1 KB. */
const ADDED_AT_ONCE = 500;

/** Adds a row to `waiting` that is due now; returns the row and its name. */
export async function addRow(
  content: Omit<NewRow, 'dueAt'>,
  { waiting, clock, storageNow }: RowStores,
): Promise<Added> {
  const row = { ...content, dueAt: await storageNow() };
  return { row, name: await waiting.add(row, clock.monotonic() + ADD_WITHIN_MS) };
}

/**
 * Adds a row for an event, as if it had just been delivered: an event that has run does not run again. `redriven` names
 * the dead letter that the row redrives. A search for an event id finds the row by the id's digest.
 */
export function addDelivery(
  { raw, json }: RawEvent,
  stores: RowStores,
  redriven?: { readonly deadLetter: DeadLetterName },
): Promise<Added> {
  const { id } = Object(raw) as { id?: unknown };
  const eventIdDigest = digest(typeof id === 'string' ? id : json);
  return addRow({ isLong: false, event: json, item: { kind: 'delivery', eventIdDigest, ...redriven } }, stores);
}

/** Returns an event with its JSON text, which goes into its row. */
export function withJson(raw: unknown): RawEvent {
  return { raw, json: toJson(raw) };
}

/**
 * Adds a row for each event. An event that is too large for a row becomes the dead letter that its delivery would make.
 */
export async function addDeliveries(events: readonly RawEvent[], stores: DeadLetterStores): Promise<void> {
  for (let at = 0; at < events.length; at += ADDED_AT_ONCE) {
    await Promise.all(
      events.slice(at, at + ADDED_AT_ONCE).map(async (event) => {
        const error = sizeErrorOf(event.json);
        if (!error) await addDelivery(event, stores);
        else await stores.deadLetters.write(deadLetterOfInvalid({ ...event, error }, stores.clock.now()));
      }),
    );
  }
}
