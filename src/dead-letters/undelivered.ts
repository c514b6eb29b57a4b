import { toJson } from '../json-text.js';
import type { BlobStore, BlobText, ListedBlob } from '../storage/blob-store.js';
import type { StoredLetter } from '../storage/dead-letters.js';
import { pagesFrom } from '../storage/pages.js';

/**
 * What Event Grid could not deliver: blobs `<SUBSCRIPTION>/<year>/<month>/<day>/<hour>/<uuid>.json`, each a JSON array
 * of events with what became of them beside their own properties, in lower case where they are CloudEvents. One that
 * was taken up, or discarded, is in `resolved/` under the same name. One that the app cannot import is in `unreadable/`
 * under the same name, until a person redrives or discards it.
 */
export type Undelivered = {
  /** As Event Grid would have delivered it. */
  readonly delivered: unknown;
  /** Why it was given up, and how the last attempt ended: words of Event Grid's. */
  readonly reason: string;
  readonly outcome: string;
};

type Discarded = NonNullable<StoredLetter['discarded']>;

export const RESOLVED = 'resolved/';
const UNREADABLE = 'unreadable/';
/** Event Grid's blobs hold some thousand events of a KiB each; JSON takes some hundred times its size to read. */
export const MAX_BLOB_BYTES = 8 * 1024 * 1024;

const PAGE = 1000;
/** In lower case. */
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
 * Undefined where it is no list: nobody but Event Grid should write there. Its documentation shows an event without a
 * list around it, too, which is known by the reason in it.
 */
export function eventsOf(content: string): Undelivered[] | undefined {
  const events = parsedOr(content);
  if (Array.isArray(events)) return events.map(readEvent);
  const event = readEvent(events);
  return event.reason === '' ? undefined : [event];
}

/** Undefined where it is no list, or no text at all. */
export function eventsOfBlob(read: BlobText): Undelivered[] | undefined {
  return read.kind === 'text' ? eventsOf(read.text) : undefined;
}

export function isUnreadable(name: string): boolean {
  return name.startsWith(UNREADABLE);
}

/**
 * Moves a blob that the app cannot import out of the way of the others: a copy, byte for byte, then a delete.
 *
 *   dies before the copy   nothing has happened: the next run does the same
 *   dies after the copy    the blob is in both places: the next run finds the copy there, and deletes
 *   two at once            the first copy stands, and the second delete finds nothing
 *   a person discards the copy, and only then the other process copies: nothing to copy, unless its copy was under way.
 *                          Then the blob is in `unreadable/` again, and the person discards it once more
 */
export async function moveUnreadable(name: string, blobs: BlobStore): Promise<void> {
  if (isUnreadable(name)) return;
  await blobs.copy(name, UNREADABLE + name);
  await blobs.delete(name);
}

/** Who has put it away, and why, with what was in it; undefined for what was taken up. */
export function discardedOf(content: string): { discarded: Discarded; content: string } | undefined {
  const held = Object(parsedOr(content)) as { discarded?: Discarded; content?: unknown };
  if (held.discarded === undefined || held.content === undefined) return undefined;
  return { discarded: held.discarded, content: toJson(held.content) };
}

/** The note of a discarded blob that could not be read, and so could not take the note into its content. */
export async function noteBeside(name: string, blobs: BlobStore): Promise<Discarded | undefined> {
  const { blobs: found } = await blobs.list(name, { limit: 1 });
  const { by, why, at } = (found[0]?.name === name && found[0].about) || {};
  return by !== undefined && why !== undefined && at !== undefined ? { by, why, at } : undefined;
}

/** As it is where it is no JSON. */
export function parsedOr(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
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

/** Pages of those that are not in resolved/, in the order of their names; with those in unreadable/. */
export async function* undeliveredBlobs(
  blobs: BlobStore,
  { page: first }: { page?: string | undefined } = {},
): AsyncGenerator<{ letters: ListedBlob[]; page: string | undefined }, void> {
  for await (const { answer, page } of pagesFrom(first, (from) => blobs.list('', { limit: PAGE, ...from }))) {
    yield { letters: answer.blobs.filter(({ name }) => !name.startsWith(RESOLVED)), page };
  }
}

/**
 * How many blobs wait for their import and how many are unreadable, counting up to `most` in all, and when the oldest of
 * those that wait was written.
 */
export async function countUndelivered(
  blobs: BlobStore,
  most: number,
): Promise<{ blobs: number; unreadable: number; isMore: boolean; oldestAt: Date | undefined }> {
  const count = { blobs: 0, unreadable: 0 };
  let oldestAt: Date | undefined;
  for await (const { letters } of undeliveredBlobs(blobs)) {
    for (const { name, createdAt } of letters) {
      if (isUnreadable(name)) count.unreadable += 1;
      else {
        count.blobs += 1;
        if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
      }
      if (count.blobs + count.unreadable >= most) return { ...count, isMore: true, oldestAt };
    }
  }
  return { ...count, isMore: false, oldestAt };
}
