import type { DeadLetter } from '../dead-letters/store/dead-letter.js';
import type { Failing, JobRecord, Result } from '../storage/ledger.js';
import type { Hold } from './hold.js';
import type { JobRun } from './job-run.js';

/** A run whose job this process holds. */
export type ClaimedJob = { readonly run: JobRun; readonly hold: Hold<JobRecord> };

/** The job gets a row. `freeing`: the write that frees its resource, if that is still under way. */
export type Retry = {
  kind: 'retry';
  inMs: number;
  countsAsTry: boolean;
  code: string;
  unknownSince?: string;
  freeing?: Promise<void>;
};

/** `hasStarted`: this run has taken its resource, so its version is the newest that has started. */
export type DeadLettered = {
  kind: 'dead-lettered';
  stage: Failing;
  reason: string;
  error: DeadLetter['error'];
  hasStarted: boolean;
};

/** The end of a run. `recordOutcome` records it. */
export type JobOutcome =
  | { kind: 'completed' }
  | { kind: 'superseded' }
  | Retry
  | DeadLettered
  /** The lease is lost or nearly over, so nothing is recorded. The job runs again when the lease has lapsed. */
  | Deferred;

/** The code of a retry because of a pause (J13). */
export const PAUSED = 'paused';

/** Returns a retry that does not count as a try: the job lacks something that it may have later. */
export function retryIn(inMs: number, code: string): Retry {
  return { kind: 'retry', inMs, countsAsTry: false, code };
}

/** This run does not change the record: the delivery or row that brought the job brings it again after `inMs`. */
export type Deferred = { kind: 'deferred'; inMs: number };

/** The end of a run, as far as storage shows it. */
export type RunResult =
  | { kind: 'settled'; result: Result; redrives: number }
  /** The record waits for a row: the row that this run has written, or another than the row that brought the job. */
  | { kind: 'waiting'; redrives: number }
  /** Nothing was recorded, or another process has the job: the delivery or row must bring it again. */
  | Deferred
  /** Storage failed: it is unknown whether anything was written. */
  | { kind: 'unknown'; error: unknown };
