import { parseJson, toJson } from '../json-text.js';
import type { BlobStore, BlobText } from '../storage/blob-store.js';
import { blobPages } from '../storage/pages.js';
import type { DiscardNote } from './store/dead-letter.js';
import type { BlobsPage } from './store/pending.js';

/**
 * An event that Event Grid could not deliver. Event Grid writes blobs
 * `<SUBSCRIPTION>/<year>/<month>/<day>/<hour>/<uuid>.json`, each a JSON array of events, and adds properties about the
 * delivery to each event, in lower case for CloudEvents.
 *
 * An imported or discarded blob is in `resolved/` under the same name. A blob that the app cannot import is in
 * `unreadable/` under the same name, until a person redrives or discards it.
 */
export type Undelivered = {
  /** The event as Event Grid would have delivered it. */
  readonly delivered: unknown;
  /** Event Grid's own words for the reason of its dead letter, and for the outcome of its last attempt. */
  readonly reason: string;
  readonly outcome: string;
};

export const RESOLVED = 'resolved/';
const UNREADABLE = 'unreadable/';
/** Event Grid's blobs hold about 1,000 events of 1 KiB; parsing JSON needs a multiple of its size. */
export const MAX_BLOB_BYTES = 8 * 1024 * 1024;

/** The properties that Event Grid adds, in lower case. */
const ADDED = new Set([
  'deadletterreason',
  'deliveryattempts',
  'lastdeliveryoutcome',
  'publishtime',
  'lastdeliveryattempttime',
  'lasthttpstatuscode',
]);
const WORD = /^[A-Za-z]{1,64}$/;

/**
 * Returns the events in `content`; undefined if it is not a list of events. Event Grid's documentation also shows a
 * single event without a list: its dead-letter reason identifies it.
 */
export function eventsOf(content: string): Undelivered[] | undefined {
  const events = parsedOrText(content);
  if (Array.isArray(events)) return events.map(readEvent);
  const event = readEvent(events);
  return event.reason === '' ? undefined : [event];
}

/**
 * A blob of Event Grid. `read`: its content; for a discarded blob, the content before the discard. `events` is undefined if
 * the content is not a list of events.
 */
export type UndeliveredBlob = {
  readonly read: BlobText;
  readonly events: readonly Undelivered[] | undefined;
  /** The note of a discarded blob that is text. */
  readonly discarded: DiscardNote | undefined;
};

/** Returns the blob of this name, which may begin with `resolved/`; undefined if the blob is absent. */
export async function readUndelivered(name: string, blobs: BlobStore): Promise<UndeliveredBlob | undefined> {
  const read = await blobs.readText(name, MAX_BLOB_BYTES);
  if (read?.kind !== 'text') return read && { read, events: undefined, discarded: undefined };
  const held = name.startsWith(RESOLVED) ? discardedOf(read.text) : undefined;
  const text = held?.content ?? read.text;
  return { read: { ...read, text }, events: eventsOf(text), discarded: held?.discarded };
}

/** Returns whether a blob is in `unreadable/`. */
export function isUnreadable(name: string): boolean {
  return name.startsWith(UNREADABLE);
}

/**
 * Moves a blob that the app cannot import to `unreadable/`, so that it does not hold up others (R9).
 *
 *   process dies before the copy    nothing has changed: the next run does the same
 *   process dies after the copy     the blob is in both places: the next run finds the copy, and deletes the original
 *   two processes at once           the first copy stays, and the second delete finds no blob
 *   a person discards the copy while another process copies: the blob is in `unreadable/` again, and the person discards
 *                          it again
 */
export async function moveUnreadable(name: string, blobs: BlobStore): Promise<void> {
  if (isUnreadable(name)) return;
  await blobs.copy(name, UNREADABLE + name);
  await blobs.delete(name);
}

/** Returns the note and the original content of a discarded blob; undefined for an imported blob. */
function discardedOf(content: string): { discarded: DiscardNote; content: string } | undefined {
  const held = Object(parsedOrText(content)) as { discarded?: DiscardNote; content?: unknown };
  if (held.discarded === undefined || held.content === undefined) return undefined;
  return { discarded: held.discarded, content: toJson(held.content) };
}

/** Returns the note of a discarded blob that is not text: it is in the metadata of the blob. */
export async function noteInMetadata(name: string, blobs: BlobStore): Promise<DiscardNote | undefined> {
  const { blobs: found } = await blobs.list(name, { limit: 1 });
  const { by, why, at } = (found[0]?.name === name && found[0].metadata) || {};
  return by !== undefined && why !== undefined && at !== undefined ? { by, why, at } : undefined;
}

/** Returns the value of `content`, or its text if it is not JSON. */
export function parsedOrText(content: string): unknown {
  const value = parseJson(content);
  return value === undefined ? content : value;
}

function readEvent(raw: unknown): Undelivered {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { delivered: raw, reason: '', outcome: '' };
  const properties = Object.entries(raw);
  const added = new Map(properties.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    delivered: Object.fromEntries(properties.filter(([name]) => !ADDED.has(name.toLowerCase()))),
    reason: wordOf(added.get('deadletterreason')),
    outcome: wordOf(added.get('lastdeliveryoutcome')),
  };
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && WORD.test(value) ? value : '';
}

/** Yields the blobs outside of `resolved/`, also those in `unreadable/`, page by page, in the order of their names. */
export async function* undeliveredBlobs(blobs: BlobStore, first?: string): AsyncGenerator<BlobsPage, void> {
  for await (const { answer, page } of blobPages(blobs, '', first)) {
    yield { blobs: answer.blobs.filter(({ name }) => !name.startsWith(RESOLVED)), page, next: answer.next };
  }
}

/** Counts up to `max` blobs. `blobs`: those that wait for their import; `oldestAt`: the oldest of these. */
export async function countUndelivered(
  blobs: BlobStore,
  max: number,
): Promise<{ blobs: number; unreadable: number; isMore: boolean; oldestAt: Date | undefined }> {
  const count = { blobs: 0, unreadable: 0 };
  let oldestAt: Date | undefined;
  for await (const page of undeliveredBlobs(blobs)) {
    for (const { name, createdAt } of page.blobs) {
      if (isUnreadable(name)) count.unreadable += 1;
      else {
        count.blobs += 1;
        if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
      }
      if (count.blobs + count.unreadable >= max) return { ...count, isMore: true, oldestAt };
    }
  }
  return { ...count, isMore: false, oldestAt };
}
