import type { Random } from '../clock.js';
import { NonRetriableError, RetryAfterError } from '../errors.js';
import type { JobRecord, ReadRecord } from '../storage/ledger.js';
import { StorageError } from '../storage/table-store.js';
import { dueAtOf } from '../storage/waiting.js';
import type { Workflow } from '../workflow.js';
import { type Deferred, PAUSED, type RunResult } from './outcome.js';

/** The process has the job once it has written `record` over the version `etag`; without an etag, by an insert. */
export type ToClaim = { kind: 'claim'; etag: string | undefined; record: Unstamped; takesOver: boolean };

/** A record without the marks of its writer. */
type Unstamped = Omit<JobRecord, 'owner' | 'write'>;

/** The row that brought the job; a delivery has none. */
export type FromRow = { name: string; redrive?: number; edit?: string };

/** The time after a lease before another process takes over: readings of storage's clock are whole seconds. */
export const LAPSE_MARGIN_MS = 2000;
/** The wait of a job for an obstacle whose end is unknown. */
export const LOOK_AGAIN_MS = 10_000;
/** The wait for another version of the app, which knows the state of the record or the workflow. */
export const UNKNOWN_LOOK_AGAIN_MS = 60_000;
/** A job is a suspect from its second crash on: one crash says little about it. */
const SUSPECT_CRASHES = 2;
/** S2: the first limit of suspects that run together. Each later crash halves it: after four, a suspect is alone. */
const FIRST_COMPANY = 16;
/** S4: one crash alone can be an accident of the host. */
const MAX_CRASHES_ALONE = 5;
/** S6: some jobs never crash alone, so this many crashes of any kind end a job. */
const MAX_CRASHES = 40;

/** The process that wants the job, and the row that brought the job. */
type Claimant = { row?: FromRow | undefined; now: Date; leaseMs: number };

/** Returns what a process may do with a job, by the job's record: the whole protocol of claims, as a pure function. */
export function decideClaim(current: ReadRecord | undefined, claimant: Claimant): ToClaim | RunResult {
  const { row, leaseMs } = claimant;
  if (!current) return { kind: 'claim', etag: undefined, record: freshRecord(claimant), takesOver: false };

  const { record, etag, ageMs } = current;
  const { state } = record;
  switch (state.kind) {
    case 'settled':
      if (row?.redrive && state.result === 'dead' && record.redrives < row.redrive) {
        return { kind: 'claim', etag, record: freshRecord(claimant), takesOver: false };
      }
      return { kind: 'settled', result: state.result, redrives: record.redrives };
    case 'waiting':
      if (row?.name !== state.due) return { kind: 'waiting', redrives: record.redrives };
      return {
        kind: 'claim',
        etag,
        record: { ...afterPause(record, row.name, claimant.now), state: { kind: 'running', leaseMs } },
        takesOver: false,
      };
    case 'running': {
      if (ageMs <= state.leaseMs + LAPSE_MARGIN_MS) return afterLapse(state.leaseMs);
      const crashes = record.crashes + 1;
      const crashesAlone = record.crashesAlone + (state.isAlone ? 1 : 0); // S4: only crashes alone show the cause
      const isCause = crashesAlone >= MAX_CRASHES_ALONE || crashes >= MAX_CRASHES;
      // J8: a failing job stays failing: its next holder writes the dead letter, and runs no handler.
      const failing = state.failing ?? (isCause ? 'crash' : undefined);
      const running = { kind: 'running' as const, leaseMs, ...(failing ? { failing } : {}) };
      return { kind: 'claim', etag, record: { ...record, crashes, crashesAlone, state: running }, takesOver: true };
    }
    case 'unknown':
      return { kind: 'deferred', inMs: UNKNOWN_LOOK_AGAIN_MS };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(state satisfies never)}`);
  }
}

/** Returns the deferral of a job whose holder may have died: until a lease of this length has lapsed. */
export function afterLapse(leaseMs: number): Deferred {
  return { kind: 'deferred', inMs: leaseMs + LAPSE_MARGIN_MS };
}

/** S2: returns how many suspects may run together with this job, itself included; undefined if it is no suspect. */
export function maxCompanyOf({ crashes, state }: Pick<JobRecord, 'crashes' | 'state'>): number | undefined {
  const isFailing = state.kind === 'running' && state.failing !== undefined; // its handler will not run
  if (crashes < SUSPECT_CRASHES || isFailing) return undefined;
  return Math.max(1, Math.floor(FIRST_COMPANY / 2 ** (crashes - SUSPECT_CRASHES)));
}

/** J13: adds to `pausedMs` how late the row of a paused job is run. The planned wait is counted already. */
function afterPause(record: JobRecord, row: string, now: Date): JobRecord {
  if (record.errorCode !== PAUSED) return record;
  const overdueMs = Math.max(0, now.getTime() - dueAtOf(row).getTime());
  return { ...record, pausedMs: (record.pausedMs ?? 0) + overdueMs };
}

function freshRecord({ row, now, leaseMs }: Claimant): Unstamped {
  return {
    state: { kind: 'running', leaseMs },
    tries: 0,
    crashes: 0,
    crashesAlone: 0,
    redrives: row?.redrive ?? 0,
    firstTryAt: now.toISOString(),
    errorCode: '',
    unknownSince: '',
    ...(row?.edit && { edit: row.edit }),
  };
}

/** The consequence of a handler's error: another run after `inMs`, or a dead letter. */
export type Failure =
  | { kind: 'retry'; inMs: number; countsAsTry: boolean }
  | { kind: 'for-good'; reason: 'non-retriable' | 'tries-spent' | 'gave-up' };

type FailedJob = {
  record: Pick<JobRecord, 'tries' | 'firstTryAt' | 'pausedMs'>;
  workflow: Pick<Workflow, 'retry'>;
};

/** Returns what follows from the error that a handler threw. `record` is as it was claimed. */
export function decideFailure(
  error: unknown,
  { record, workflow }: FailedJob,
  deps: { now: Date; random: Random },
): Failure {
  if (isNonRetriable(error)) return { kind: 'for-good', reason: 'non-retriable' };
  const { retry } = workflow;
  const spread = (ms: number) => Math.round(ms * (0.8 + 0.4 * deps.random.number()));
  // NaN, as of a header that could not be read, makes an ordinary failure.
  const askedMs = error instanceof RetryAfterError ? Number(error.wait?.ms) : Number.NaN;
  // J14: a failure of storage counts as no try. The wait grows with the job's age: a long outage makes few retries.
  const halfAgeMs = Math.min(ageMsOf(record, deps.now) / 2, retry.toMs);
  const waitMs = isStorageFailure(error) ? spread(Math.max(LOOK_AGAIN_MS, halfAgeMs)) : askedMs;
  if (!Number.isNaN(waitMs)) {
    const inMs = Math.max(0, waitMs);
    if (ageMsOf(record, deps.now) + inMs > retry.giveUpAfterMs) return { kind: 'for-good', reason: 'gave-up' };
    return { kind: 'retry', inMs, countsAsTry: false };
  }
  const tries = record.tries + 1;
  if (tries >= retry.tries) return { kind: 'for-good', reason: 'tries-spent' };
  return { kind: 'retry', inMs: spread(waitAfterMs(tries, retry)), countsAsTry: true };
}

/** Returns whether every further try of this event would fail in the same way. */
export function isNonRetriable(error: unknown): boolean {
  return error instanceof NonRetriableError || (error instanceof StorageError && error.isRejected);
}

/** Returns whether the app's own storage has failed, which is no fault of the job. */
function isStorageFailure(error: unknown): error is StorageError {
  return error instanceof StorageError && !error.isRejected && error.code !== 'contention';
}

/**
 * Returns whether the app's own storage has not answered in time, as happens under load. Such failures come slowly, so
 * they open no circuit (J14), unlike those of a storage that refuses at once.
 */
export function isStorageLate(error: unknown): boolean {
  return isStorageFailure(error) && (error.code === 'timeout' || error.code === 'late');
}

/** Returns the wait after try number `tries`. Waits grow by a constant factor, from `fromMs` to `toMs`. */
export function waitAfterMs(tries: number, retry: Workflow['retry']): number {
  const last = retry.tries - 2;
  if (last <= 0) return retry.fromMs;
  return retry.fromMs * (retry.toMs / retry.fromMs) ** ((tries - 1) / last);
}

/** Returns the time since the first try of a job, without its pauses (J13). */
export function ageMsOf({ firstTryAt, pausedMs = 0 }: Pick<JobRecord, 'firstTryAt' | 'pausedMs'>, now: Date): number {
  return now.getTime() - Date.parse(firstTryAt) - pausedMs;
}

/** Returns the maximum time from a job's first try to its last. */
export function longestRetryMs(workflow: Workflow): number {
  let waits = 0;
  for (let tries = 1; tries < workflow.retry.tries; tries += 1) waits += 1.2 * waitAfterMs(tries, workflow.retry);
  return Math.max(waits + workflow.retry.tries * workflow.timeoutMs, workflow.retry.giveUpAfterMs);
}
