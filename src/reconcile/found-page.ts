import { type ReadError, readError, type ServiceKind } from '../clients/read-error.js';
import type { FoundChange } from './known-changes.js';

/** The changes to read: `since` is inclusive, `before` exclusive. Both are ISO 8601, UTC, with milliseconds. */
export type Span = { readonly since: string; readonly before: string };

/** A page of a service's history, oldest change first. */
export type FoundPage = {
  readonly changes: readonly FoundChange[];
  /** The number of entries that name no change, for example without a version or a time. */
  readonly unreadable: number;
  /** All earlier changes of the span are in this page or an earlier one. A later read continues with `since: upTo`. */
  readonly upTo: string;
};

/** The maximum of successive pages without a new change: more than any service needs. */
const MAX_IDLE_PAGES = 100;
/** The changes of one millisecond that memory holds. */
const MAX_AT_ONE_TIME = 1_000_000;

/**
 * Checks that the changes of one read come in the order of their times, and that its pages make progress: otherwise a
 * position would skip changes. Memory is bounded, because only the changes of the newest millisecond can come again; a page
 * that goes back in time is an error.
 */
export class SpanReading {
  readonly #kind: ServiceKind;
  readonly #span: Span;
  /** The changes at `#upTo` that were read. */
  readonly #seen = new Set<string>();
  #upTo: string;
  #idlePages = 0;
  /** The newest change before the span that was read. */
  #newestBefore = '';

  constructor(kind: ServiceKind, span: Span) {
    this.#kind = kind;
    this.#span = span;
    this.#upTo = span.since;
  }

  get upTo(): string {
    return this.#upTo;
  }

  /** The number of changes at the time `upTo` that were read. */
  get countAtUpTo(): number {
    return this.#seen.size;
  }

  /**
   * Returns the changes of a page that are new and in the span; `isPast`: the page reaches the end of the span.
   * @throws ReadError if the pages are out of order, or if no page has brought a new change for long.
   */
  take(found: readonly FoundChange[]): { changes: FoundChange[]; isPast: boolean } {
    const { since, before } = this.#span;
    // Checks the whole page: otherwise a service that sorts the newest first would seem to be past the end of the span.
    if (found.some(({ time }, at) => time < (found[at - 1]?.time ?? ''))) throw this.#outOfOrder();
    const changes = found.filter((change) => change.time >= since && change.time < before && this.#isNew(change));
    this.#idlePages = changes.length > 0 || this.#isNearer(found) ? 0 : this.#idlePages + 1;
    if (this.#idlePages > MAX_IDLE_PAGES || this.#seen.size > MAX_AT_ONE_TIME) throw endlessPages(this.#kind);
    return { changes, isPast: found.some(({ time }) => time >= before) };
  }

  #isNew(change: FoundChange): boolean {
    if (change.time < this.#upTo) throw this.#outOfOrder();
    if (change.time > this.#upTo) this.#seen.clear();
    this.#upTo = change.time;
    const name = nameOf(change);
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    return true;
  }

  /** Returns whether a service that ignores the beginning of the span has come nearer to it. */
  #isNearer(found: readonly FoundChange[]): boolean {
    const newest = found.at(-1)?.time ?? '';
    if (newest <= this.#newestBefore || newest >= this.#span.since) return false;
    this.#newestBefore = newest;
    return true;
  }

  #outOfOrder(): ReadError {
    return readError(this.#kind, 'out-of-order', 'names changes in another order than by time, oldest first.');
  }
}

/** Returns the changes in the order of their times, for a service whose changes fit into one page. */
export function byTime(changes: readonly FoundChange[]): FoundChange[] {
  return changes.toSorted((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
}

/** Returns the error for pages that never end. */
export function endlessPages(kind: ServiceKind): ReadError {
  return readError(kind, 'endless', 'names pages in a circle, or pages that bring no new change.');
}

function nameOf(change: FoundChange): string {
  return change.service === 'fhir'
    ? `${change.resourceType}/${change.resourceId}/${change.version}`
    : String(change.version);
}
