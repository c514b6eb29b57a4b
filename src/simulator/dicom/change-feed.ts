import { firstNotBefore } from '../../binary-search.js';
import type { Change } from '../../workflow.js';
import type { DicomChange, ImageName } from '../changes.js';

/** One change of an image. All entries of an image share one `name`, which keeps the feed small. */
export type FeedEntry = Pick<DicomChange, 'sequenceNumber' | 'change' | 'at'> & { readonly name: ImageName };

/** `from` is inclusive, `to` exclusive. */
type FeedWindow = { from: Date | undefined; to: Date | undefined; offset: number; limit: number };

type Kept = { readonly name: ImageName; readonly change: Change; readonly atMs: number };

/**
 * The changes of images, numbered from 1 without a gap. A full feed drops its oldest entries.
 *
 * Entry n is at `(n - 1) % maxEntries`, for the last `kept` numbers. Times never go back, so they are in order.
 */
export class ChangeFeed {
  readonly #now: () => Date;
  readonly #maxEntries: number;
  #entries: Kept[] = [];
  #last = 0;
  #kept = 0;
  #lastAtMs = 0;

  constructor({ now, maxEntries }: { now: () => Date; maxEntries: number }) {
    this.#now = now;
    this.#maxEntries = maxEntries;
  }

  add(name: ImageName, change: Change): FeedEntry {
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#now().getTime());
    this.#last += 1;
    this.#kept = Math.min(this.#kept + 1, this.#maxEntries);
    this.#entries[(this.#last - 1) % this.#maxEntries] = { name, change, atMs: this.#lastAtMs };
    return this.#entryOf(this.#last);
  }

  /** Entries in the order of their numbers. */
  page({ from, to, offset, limit }: FeedWindow): FeedEntry[] {
    const first = from ? this.#firstSince(from.getTime()) : this.#last - this.#kept + 1;
    const end = to ? this.#firstSince(to.getTime()) : this.#last + 1;
    const start = first + offset;
    const count = Math.max(0, Math.min(limit, end - start));
    return Array.from({ length: count }, (_, at) => this.#entryOf(start + at));
  }

  /** Returns the entries `offset` + 1 to `offset` + `limit`. Dropped entries make the page shorter, or empty. */
  pageByNumber({ offset, limit }: { offset: number; limit: number }): FeedEntry[] {
    const start = Math.max(offset + 1, this.#last - this.#kept + 1);
    const end = Math.min(offset + limit, this.#last);
    return Array.from({ length: Math.max(0, end - start + 1) }, (_, at) => this.#entryOf(start + at));
  }

  latest(): FeedEntry | undefined {
    return this.#kept > 0 ? this.#entryOf(this.#last) : undefined;
  }

  /** Forgets the entries. The numbers continue, so that no two events ever have the same number. */
  clear(): void {
    this.#entries = [];
    this.#kept = 0;
  }

  #entryOf(sequenceNumber: number): FeedEntry {
    const { name, change, atMs } = this.#entries[(sequenceNumber - 1) % this.#maxEntries] as Kept;
    return { sequenceNumber, name, change, at: new Date(atMs) };
  }

  /** Returns the first number that is not before `atMs`, or the number after the last. */
  #firstSince(atMs: number): number {
    return firstNotBefore(this.#last - this.#kept + 1, this.#last + 1, (n) => this.#entryOf(n).at.getTime() < atMs);
  }
}
