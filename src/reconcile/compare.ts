import { ReadError } from '../clients/read-error.js';
import type { Clock } from '../clock.js';
import { NonRetriableError, RetryAfterError } from '../errors.js';
import { acceptEvent } from '../events/accept.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { createTurns, withRetries } from '../storage/pace.js';
import { StorageError } from '../storage/table-store.js';
import { forEachAtOnce } from '../workflow.js';
import { foundEvent } from './found-event.js';
import type { FoundPage, Span } from './found-page.js';
import type { FoundChange, KnownChanges } from './known-changes.js';

/** A span of the history of one service to compare, for all workflows or for one. */
export type Comparison = {
  readonly span: Span;
  /** Opens the history. Called once, with the part of the span that is left to compare. */
  readonly openPages: (span: Span) => AsyncIterable<FoundPage>;
  /** The workspace that the service's events name: `workspaceOf`. */
  readonly source: string;
  /** Returns whether a workflow wants the event. Other changes are not looked up. */
  readonly isWanted: (event: HealthEvent) => boolean;
  /** The workflow that alone gets what is missing. Default: every workflow that wants the change. */
  readonly workflow?: string | undefined;
  /** Keeps the progress of the comparison. Without a position, the comparison is a dry run. */
  readonly position?: Position | undefined;
  /** Counts, and brings nothing in. Default: true without a position. */
  readonly isDryRun?: boolean | undefined;
};

/** The stored progress of a comparison. Its calls are safe to repeat. */
export type Position = {
  /** Returns undefined unless an earlier comparison stopped before its end. */
  read(): Promise<string | undefined>;
  save(upTo: string): Promise<void>;
  /** Deletes the position, because the comparison has reached its end. The next comparison starts at the beginning. */
  end(): Promise<void>;
};

/** `compared` = `known` + `missing`. `unreadable`: entries without a change, or with a change that no event can hold. */
export type Counts = typeof NO_COUNTS;
export const NO_COUNTS = { compared: 0, known: 0, missing: 0, unreadable: 0, broughtIn: 0 };

/** All changes from `since` up to `upTo` are known or brought in (or counted, in a dry run). */
export type Progress = {
  readonly counts: Readonly<Counts>;
  readonly since: string;
  readonly before: string;
  readonly upTo: string;
};

/** The result of a comparison. */
export type Compared = Progress &
  ({ readonly end: 'done' | 'stopped' } | { readonly end: 'failed'; readonly error: ReadFailure | StorageError });
/** A read of a service that failed. */
export type ReadFailure = ReadError | RetryAfterError | NonRetriableError;

export type CompareDeps = {
  readonly known: KnownChanges;
  readonly clock: Clock;
  /** The time by storage's clock (T1). */
  readonly storageNow: () => Promise<Date>;
  readonly pace: Pace;
  /** Default: `GRACE_MS` (Q5). */
  readonly graceMs?: number;
  /** Called after each change and each page, always with the same object `counts`. */
  readonly onProgress?: (progress: Progress) => void;
};

/**
 * Q5: only changes older than this are compared. The service's own event of a newer change may still arrive, and a resource
 * that was hard-deleted and recreated within 5 minutes could be mistaken for its former incarnation (Q2).
 */
export const GRACE_MS = 10 * 60_000;

/** Returns the end of a span, or an earlier time so that newer changes are left for a later comparison (Q5). */
export function beforeGrace(before: string, now: Date, graceMs = GRACE_MS): string {
  return new Date(Math.min(Date.parse(before), now.getTime() - graceMs)).toISOString();
}

/**
 * Compares the changes of a span with those that the app knows, and brings in the missing ones. The position moves after
 * each page whose changes are all known or brought in. So after a kill the same comparison continues with that page.
 *
 *   process dies before a change is brought in    the change is missing again at the next comparison
 *   process dies before the position is saved     the change has a row, then a job; a second row finds that job (Q2)
 *   two processes at once                         at worst two rows for one change, which make one job (Q2)
 */
export async function compare(comparison: Comparison, deps: CompareDeps): Promise<Compared> {
  const { openPages, position, span } = comparison;
  const { clock, pace, onProgress } = deps;
  const { signal } = pace;
  const retry = <T>(act: () => Promise<T>) => withRetries(act, { clock, signal });
  const progress = { counts: { ...NO_COUNTS }, ...span, upTo: span.since };
  const { counts } = progress;
  try {
    progress.before = beforeGrace(span.before, await retry(deps.storageNow), deps.graceMs); // Q5
    progress.since = (position && (await retry(position.read))) ?? span.since;
    progress.upTo = progress.since;
    const { since, before } = progress;
    if (since < before) {
      const compareChange = createCompareChange(comparison, deps, progress);
      for await (const page of openPages({ since, before })) {
        await compareEach(page.changes, pace, compareChange);
        if (signal.aborted) return { ...progress, end: 'stopped' }; // some changes of the page were not compared
        counts.unreadable += page.unreadable;
        if (position && page.upTo > progress.upTo) await retry(() => position.save(page.upTo));
        progress.upTo = page.upTo;
        onProgress?.(progress);
      }
    }
    if (position) await retry(position.end);
    return { ...progress, end: 'done' };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return signal.aborted ? { ...progress, end: 'stopped' } : { ...progress, end: 'failed', error };
  }
}

type CompareChange = (change: FoundChange) => Promise<void>;

/** After an abort or a failure, no further change is compared; what is under way is finished. */
async function compareEach(
  changes: readonly FoundChange[],
  { atOnce, signal }: Pace,
  compareChange: CompareChange,
): Promise<void> {
  let isFailed = false;
  await forEachAtOnce(changes, atOnce, async (change) => {
    if (isFailed || signal.aborted) return;
    await compareChange(change).catch((error: unknown) => {
      isFailed = true;
      throw error;
    });
  });
}

function createCompareChange(
  { source, isWanted, workflow, position, isDryRun = position === undefined }: Comparison,
  deps: CompareDeps,
  progress: Progress & { readonly counts: Counts },
): CompareChange {
  const { known, clock, pace, onProgress } = deps;
  const { counts } = progress;
  const { signal } = pace;
  const takeTurn = createTurns(pace.perSecond, { clock, signal });
  const takeTurnToBringIn = createTurns(pace.broughtInPerSecond, { clock, signal });

  return async (change) => {
    const found = foundEvent(change, source);
    const event = acceptEvent(found, {});
    if (event instanceof InvalidEventError) {
      counts.unreadable += 1;
      return;
    }
    if (!isWanted(event)) return;
    await takeTurn();
    if (signal.aborted) return;
    const isKnown = await withRetries(() => known.isKnown(event, workflow), { clock, signal });
    counts.compared += 1;
    counts[isKnown ? 'known' : 'missing'] += 1;
    if (!isKnown && !isDryRun) {
      await takeTurnToBringIn();
      if (signal.aborted) return;
      await withRetries(() => known.bringIn(found, workflow), { clock, signal });
      counts.broughtIn += 1;
    }
    onProgress?.(progress);
  };
}

/** Returns whether an error ends a comparison, and is no fault of the app. */
export function isExpected(error: unknown): error is ReadFailure | StorageError {
  return [ReadError, RetryAfterError, NonRetriableError, StorageError].some((kind) => error instanceof kind);
}

/** The limits of a comparison. Live events have priority, so missing changes come in slowly. */
export type Pace = {
  /** The number of look-ups at a time. */
  readonly atOnce: number;
  /** The maximum of look-ups per second. */
  readonly perSecond: number;
  /** The maximum per second of missing changes that are brought in. */
  readonly broughtInPerSecond: number;
  /** Ends the comparison; what is under way is finished. */
  readonly signal: AbortSignal;
};
