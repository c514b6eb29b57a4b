import type { Random } from '../clock.js';
import { NonRetriableError, RetryAfterError } from '../errors.js';
import type { JobRecord, ReadRecord } from '../storage/ledger.js';
import { StorageError } from '../storage/table-store.js';
import { dueAtOf } from '../storage/waiting.js';
import type { Workflow } from '../workflow.js';
import { type Deferred, PAUSED, type RunResult } from './outcome.js';

/** Write this record, on condition of `etag` (none: insert), and the job is ours. */
export type ToClaim = { kind: 'claim'; etag: string | undefined; record: Unstamped; takesOver: boolean };

/** A record before its writer has put its name on it. */
type Unstamped = Omit<JobRecord, 'owner' | 'write'>;

/** The row that brought the job; a delivery has none. */
export type FromRow = { name: string; redrive?: number; edit?: string };

/** Added to a lease, because both readings of storage's clock are whole seconds. */
export const LAPSE_MARGIN_MS = 2000;
/** The wait before another look at an obstacle whose end is unknown. */
export const LOOK_AGAIN_MS = 10_000;
/** A state, or a workflow, of another version of the app: a roll-out is running. */
export const UNKNOWN_LOOK_AGAIN_MS = 60_000;
/** A job is a suspect from its second crash on: one crash says little about it. */
const SUSPECT_CRASHES = 2;
/** The number of suspects that run together first. Each further crash halves it: after four, a suspect runs alone. */
const FIRST_COMPANY = 16;
/** S4: one crash alone can be an accident of the host. */
const MAX_CRASHES_ALONE = 5;
/** S6: some jobs never crash alone, so this many crashes of any kind end a job. */
const MAX_CRASHES = 40;

type From = { row?: FromRow; now: Date; leaseMs: number };

/**
 * Returns what a process may do with a job, given the job's record. The whole protocol of claims, as a pure function.
 */
export function decide(current: ReadRecord | undefined, from: From): ToClaim | RunResult {
  const { row, leaseMs } = from;
  if (!current) return { kind: 'claim', etag: undefined, record: freshRecord(from), takesOver: false };

  const { record, etag, ageMs } = current;
  const { state } = record;
  switch (state.kind) {
    case 'settled':
      if (row?.redrive && state.result === 'dead' && record.redrives < row.redrive) {
        return { kind: 'claim', etag, record: freshRecord(from), takesOver: false };
      }
      return { kind: 'settled', result: state.result, redrives: record.redrives };
    case 'waiting':
      if (row?.name !== state.due) return { kind: 'waiting', redrives: record.redrives };
      return {
        kind: 'claim',
        etag,
        record: { ...afterPause(record, row.name, from.now), state: { kind: 'running', leaseMs } },
        takesOver: false,
      };
    case 'running': {
      if (ageMs <= state.leaseMs + LAPSE_MARGIN_MS) return afterLapse(state.leaseMs);
      const crashes = record.crashes + 1;
      // J8: a failing job stays failing: the next holder writes the dead letter and runs nothing.
      const crashesAlone = record.crashesAlone + (state.isAlone ? 1 : 0); // S4
      const isCause = crashesAlone >= MAX_CRASHES_ALONE || crashes >= MAX_CRASHES;
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

/** The holder of a lease of this length may have died: the job comes again when the lease has lapsed. */
export function afterLapse(leaseMs: number): Deferred {
  return { kind: 'deferred', inMs: leaseMs + LAPSE_MARGIN_MS };
}

/** S2: how many suspects may run together with this one, itself included; undefined where it is none. */
export function maxCompanyOf({ crashes, state }: Pick<JobRecord, 'crashes' | 'state'>): number | undefined {
  const isOver = state.kind === 'running' && state.failing !== undefined; // its handler will not run
  if (crashes < SUSPECT_CRASHES || isOver) return undefined;
  return Math.max(1, Math.floor(FIRST_COMPANY / 2 ** (crashes - SUSPECT_CRASHES)));
}

/** J13: `pausedMs` counts the planned wait already; the row may have been found later than that. */
function afterPause(record: JobRecord, row: string, now: Date): JobRecord {
  if (record.errorCode !== PAUSED) return record;
  const overdueMs = Math.max(0, now.getTime() - dueAtOf(row).getTime());
  return { ...record, pausedMs: (record.pausedMs ?? 0) + overdueMs };
}

function freshRecord({ row, now, leaseMs }: From): Unstamped {
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

/** The consequence of a handler's error: another run in `inMs`, or a dead letter. */
export type Failure =
  | { kind: 'retry'; inMs: number; countsAsTry: boolean }
  | { kind: 'for-good'; reason: 'non-retriable' | 'tries-spent' | 'gave-up' };

/** Returns whether a job whose handler threw is retried; `record` is as it was claimed. */
export function decideFailure(
  error: unknown,
  {
    record,
    workflow,
  }: { record: Pick<JobRecord, 'tries' | 'firstTryAt' | 'pausedMs'>; workflow: Pick<Workflow, 'retry'> },
  deps: { now: Date; random: Random },
): Failure {
  if (isNonRetriable(error)) return { kind: 'for-good', reason: 'non-retriable' };
  const { retry } = workflow;
  const spread = (ms: number) => Math.round(ms * (0.8 + 0.4 * deps.random.number()));
  // A wait that is no number (of a header that could not be read) is an ordinary failure.
  const askedMs = error instanceof RetryAfterError ? Number(error.wait?.ms) : Number.NaN;
  // J14. Each wait is half of the job's age: while storage is down for long, ever fewer jobs come back at a time.
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

/**
 * Returns whether every further try would fail the same way. Such a failure says nothing of the workflow's other
 * events.
 */
export function isNonRetriable(error: unknown): boolean {
  return error instanceof NonRetriableError || (error instanceof StorageError && error.isRejected);
}

/** Returns whether the app's own storage has failed, which says nothing of the job. */
function isStorageFailure(error: unknown): error is StorageError {
  return error instanceof StorageError && !error.isRejected && error.code !== 'contention';
}

/**
 * Returns whether the app's own storage has not answered in time, as happens under load. Such failures come slowly: they
 * need no circuit, unlike those of a storage that refuses at once.
 */
export function isStorageLate(error: unknown): boolean {
  return isStorageFailure(error) && (error.code === 'timeout' || error.code === 'late');
}

/** The wait after try number `tries`: a geometric series from `from` to `to` over all the waits there are. */
export function waitAfterMs(tries: number, retry: Workflow['retry']): number {
  const last = retry.tries - 2;
  if (last <= 0) return retry.fromMs;
  return retry.fromMs * (retry.toMs / retry.fromMs) ** ((tries - 1) / last);
}

/** Returns the time since the first try of a job, without its pauses (J13): no job is given up because of a pause. */
export function ageMsOf({ firstTryAt, pausedMs = 0 }: Pick<JobRecord, 'firstTryAt' | 'pausedMs'>, now: Date): number {
  return now.getTime() - Date.parse(firstTryAt) - pausedMs;
}

/** Returns how long a job of this workflow may go on being retried, from its first try on. */
export function longestRetryMs(workflow: Workflow): number {
  let waits = 0;
  for (let tries = 1; tries < workflow.retry.tries; tries += 1) waits += 1.2 * waitAfterMs(tries, workflow.retry);
  return Math.max(waits + workflow.retry.tries * workflow.timeoutMs, workflow.retry.giveUpAfterMs);
}
