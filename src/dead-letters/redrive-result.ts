import type { Problem } from '../events/invalid-event-error.js';
import type { JobRecord, Result } from '../storage/ledger.js';

/** The result of the request to redrive one dead letter. */
export type Redriven =
  /** The row is written; `readOutcome` returns the outcome so far. */
  | { kind: 'asked'; readOutcome: ReadOutcome }
  | { kind: 'taken-up'; events: number }
  | { kind: 'not-an-event'; problems: readonly Problem[] }
  | { kind: Exclude<Skipped, 'not-an-event'> };

/** `picked-up`: the app has begun, and there is no outcome yet. `open`: the app has not begun. */
export type ReadOutcome = () => Promise<Outcome | 'picked-up'>;

/** The reason why a dead letter was not redriven. */
export type Skipped =
  /** No dead letter with this id is pending: it is resolved, or never existed. */
  | 'gone'
  /** The job is completed or superseded, or has a newer dead letter: there is nothing to redrive (R2). */
  | 'over'
  /** A redrive is under way, or the dead letter is being written at this moment. */
  | 'under-way'
  /** `MAX_REDRIVES` redrives had no success: a person must find the cause, then use force. */
  | 'too-often'
  /** The event is too large for a row. */
  | 'too-large'
  /** The blob is not a dead letter, or not a list of events. */
  | 'unreadable'
  /** This version of the app does not accept the event: use force if the app is newer. */
  | 'not-an-event'
  /** The corrected payload has another id than the event of the job. */
  | 'another-event'
  /** The dead letter holds several events, so a corrected payload has no place. */
  | 'not-editable';

/** The outcome of a redrive so far. */
export type Outcome =
  | Result
  /** There is no outcome yet. */
  | 'open'
  /** The job has failed, and the app will try it again. */
  | 'failing'
  /** The payload of an invalid event is a valid event now; or it is still invalid. */
  | 'taken-in'
  | 'invalid-again';

/** A job that waits with one of these codes has not failed. */
const NO_FAILURE: readonly string[] = ['', 'resource-busy', 'resource-lost', 'lease-lost'];

/** Returns why a redrive is refused (R2); undefined if it is allowed. If the record has expired, the redrive inserts it again. */
export function obstacleTo(
  { redrives }: { redrives: number },
  record: JobRecord | undefined,
): 'under-way' | 'over' | undefined {
  if (!record) return undefined;
  const { state } = record;
  if (state.kind !== 'settled') return 'under-way';
  return state.result === 'dead' && record.redrives <= redrives ? undefined : 'over';
}

/** Returns the outcome of redrive number `redrive`, as the record of the job shows it. */
export function outcomeOf(record: JobRecord | undefined, redrive: number): Outcome | 'picked-up' {
  if (!record || record.redrives < redrive) return 'open';
  const { state, errorCode } = record;
  if (state.kind === 'settled') return state.result;
  return state.kind === 'waiting' && !NO_FAILURE.includes(errorCode) ? 'failing' : 'picked-up';
}
