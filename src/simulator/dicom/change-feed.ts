import type { Change } from '../../workflow.js';

/** The names of one image. One object for all that happens to it, so that the feed costs little. */
export type ImageName = {
  readonly partition: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
};

export type FeedEntry = {
  readonly sequenceNumber: number;
  readonly name: ImageName;
  readonly change: Change;
  readonly at: Date;
};

/** What has happened to images, numbered from 1 without a gap; the oldest entries are dropped when it is full. */
export type ChangeFeed = {
  add(name: ImageName, change: Change): FeedEntry;
  /** In order; `from` is inclusive, `to` exclusive. */
  page(window: { from?: Date; to?: Date; offset: number; limit: number }): FeedEntry[];
  latest(): FeedEntry | undefined;
  readonly size: () => number;
  /** Forgets the entries; the numbers go on, so that no event ever has that of another. */
  clear(): void;
};

type Kept = { readonly name: ImageName; readonly change: Change; readonly atMs: number };

/** `entries[(n - 1) % maxEntries]` is that of number n, for the last `kept` numbers. Times never go back, so they are in order. */
export function createChangeFeed({ now, maxEntries }: { now: () => Date; maxEntries: number }): ChangeFeed {
  let entries: Kept[] = [];
  let last = 0;
  let kept = 0;
  let lastAtMs = 0;

  return {
    add(name, change) {
      lastAtMs = Math.max(lastAtMs, now().getTime());
      last += 1;
      kept = Math.min(kept + 1, maxEntries);
      entries[(last - 1) % maxEntries] = { name, change, atMs: lastAtMs };
      return { sequenceNumber: last, name, change, at: new Date(lastAtMs) };
    },
    page({ from, to, offset, limit }) {
      const first = from ? firstSince(from.getTime()) : last - kept + 1;
      const end = to ? firstSince(to.getTime()) : last + 1;
      const start = first + offset;
      const count = Math.max(0, Math.min(limit, end - start));
      return Array.from({ length: count }, (_, at) => entryOf(start + at));
    },
    latest: () => (kept > 0 ? entryOf(last) : undefined),
    size: () => kept,
    clear() {
      entries = [];
      kept = 0;
    },
  };

  function entryOf(sequenceNumber: number): FeedEntry {
    const { name, change, atMs } = entries[(sequenceNumber - 1) % maxEntries] as Kept;
    return { sequenceNumber, name, change, at: new Date(atMs) };
  }

  /** The first number that is not before `atMs`, or that after the last. */
  function firstSince(atMs: number): number {
    let [low, high] = [last - kept + 1, last + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((entries[(middle - 1) % maxEntries] as Kept).atMs < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
