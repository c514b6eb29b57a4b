import { toJson } from '../json-text.js';
import type { BlobStore, ListedBlob } from '../storage/blob-store.js';
import type { StoredLetter } from '../storage/dead-letters.js';
import { pagesFrom } from '../storage/pages.js';

/**
 * What Event Grid could not deliver: blobs `<SUBSCRIPTION>/<year>/<month>/<day>/<hour>/<uuid>.json`, each a JSON array
 * of events with what became of them beside their own properties, in lower case where they are CloudEvents. One that
 * was taken up, or discarded, is in `resolved/` under the same name.
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

/** Who has put it away, and why, with what was in it; undefined for what was taken up. */
export function discardedOf(content: string): { discarded: Discarded; content: string } | undefined {
  const held = Object(parsedOr(content)) as { discarded?: Discarded; content?: unknown };
  if (held.discarded === undefined || held.content === undefined) return undefined;
  return { discarded: held.discarded, content: toJson(held.content) };
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

/** Pages of those that are not in resolved/, in the order of their names. */
export async function* undeliveredBlobs(
  blobs: BlobStore,
  { page: first }: { page?: string | undefined } = {},
): AsyncGenerator<{ letters: ListedBlob[]; page: string | undefined }, void> {
  for await (const { answer, page } of pagesFrom(first, (from) => blobs.list('', { limit: PAGE, ...from }))) {
    yield { letters: answer.blobs.filter(({ name }) => !name.startsWith(RESOLVED)), page };
  }
}

/** How many blobs there are, counting up to `most`, and when the oldest was written. */
export async function countUndelivered(
  blobs: BlobStore,
  most: number,
): Promise<{ blobs: number; isMore: boolean; oldestAt: Date | undefined }> {
  let count = 0;
  let oldestAt: Date | undefined;
  for await (const { letters } of undeliveredBlobs(blobs)) {
    for (const { createdAt } of letters) {
      count += 1;
      if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
      if (count >= most) return { blobs: count, isMore: true, oldestAt };
    }
  }
  return { blobs: count, isMore: false, oldestAt };
}
