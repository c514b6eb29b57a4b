import type { DeadLetter } from '../dead-letters/store/dead-letter.js';
import { loggableFieldsOf } from '../handler/job.js';
import { withStep } from '../storage/job-steps.js';
import type { JobRecord, Result } from '../storage/ledger.js';
import { traced } from '../telemetry/telemetry.js';
import { afterLapse } from './decide.js';
import { isNewestNotApplied } from './latest.js';
import { type ClaimedJob, type DeadLettered, type JobOutcome, PAUSED, type Retry, type RunResult } from './outcome.js';
import { countJob, recordEnded, recordSettled } from './record-metrics.js';
import { isLong, type JobDeps, rowOf, type Settings } from './shared.js';
import { untilWritten } from './until-written.js';

/** Records the outcome of a claimed job: a settled record, a row that brings the job again, or a dead letter. */
export async function recordOutcome(claimed: ClaimedJob, outcome: JobOutcome, deps: JobDeps): Promise<RunResult> {
  switch (outcome.kind) {
    case 'completed':
    case 'superseded':
      return settle(claimed, outcome.kind, deps);
    case 'retry': {
      const [recorded] = await Promise.all([scheduleRetry(claimed, outcome, deps), outcome.freeing]);
      return recorded;
    }
    case 'dead-lettered':
      return deadLetter(claimed, outcome, deps);
    case 'deferred':
      return outcome;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(outcome satisfies never)}`);
  }
}

// Settles the record:
//   process dies before the write    the lease lapses, and the job runs again
//   process dies after the write     the job is settled
//   outcome unknown                  the write is sent again until the lease lapses; deliveries wait for its outcome
async function settle({ run, hold }: ClaimedJob, result: Result, deps: JobDeps): Promise<RunResult> {
  const settled = (record: JobRecord): JobRecord => ({
    ...record,
    state: { kind: 'settled', result },
    tries: result === 'completed' ? record.tries + 1 : record.tries,
    errorCode: result === 'dead' ? record.errorCode : '',
  });
  const written = await traced(run.span, 'settle', () => hold.update(settled));
  if (written === 'lost') return afterLapse(deps.settings.leaseMs);
  recordSettled({ run, hold }, result, deps);
  return { kind: 'settled', result, redrives: hold.value.redrives };
}

// J3: row, then record. The old row is deleted last, by due-rows.ts.
//   process dies after the row       the row finds the record running, stays until the lease has lapsed, and takes over
//   process dies after the record    the old row finds that the record waits for another row, and is deleted
async function scheduleRetry({ run, hold }: ClaimedJob, retry: Retry, deps: JobDeps): Promise<RunResult> {
  const { clock, stores, settings, waitingRecords } = deps;
  const at = clock.now();
  const dueAt = new Date(at.getTime() + retry.inMs);
  const due = await stores.waiting.add(rowOf(run.job, dueAt, settings), hold.heldUntilMs);
  run.safety.setSafe();
  const isPaused = retry.code === PAUSED;
  const isPausedAgain = isPaused && hold.value.errorCode === PAUSED;
  const waiting = (record: JobRecord): JobRecord => ({
    ...record,
    state: { kind: 'waiting', due },
    tries: record.tries + (retry.countsAsTry ? 1 : 0),
    errorCode: retry.code,
    unknownSince: retry.unknownSince ?? '',
    ...(isPaused && { pausedMs: (record.pausedMs ?? 0) + retry.inMs }),
    steps: withStep(record, { what: retry.countsAsTry ? 'retry' : 'wait', at, code: retry.code, until: dueAt }),
  });
  const written = await traced(run.span, 'settle', () => hold.update(waiting));
  if (written === 'lost') return afterLapse(settings.leaseMs);
  waitingRecords.set(due, { record: hold.value, etag: hold.etag, ageMs: 0 });
  if (isPaused) countJob(run.job, 'put-off', deps);
  if (!isPausedAgain) recordWaiting({ run, hold }, retry, deps);
  return { kind: 'waiting', redrives: hold.value.redrives };
}

function recordWaiting({ run, hold }: ClaimedJob, { countsAsTry, code, inMs }: Retry, deps: JobDeps): void {
  if (code !== PAUSED) {
    countJob(run.job, 'retried', deps);
    recordEnded({ run, hold }, 'retried', deps.telemetry);
  }
  deps.telemetry.log(countsAsTry ? 'warn' : 'info', countsAsTry ? 'job-retries' : 'job-waits', {
    ...loggableFieldsOf(run.job),
    try: hold.value.tries,
    errorCode: code,
    durationMs: inMs,
  });
}

// J8: three writes by the holder: the record says `failing`, the dead letter, the record is settled.
//   process dies after the first     the process that takes over runs no handler, and writes the dead letter
//   process dies after the second    the same; the dead letter has its name already, so this write changes nothing (R7)
// So no completed job has a pending dead letter.
async function deadLetter(claimed: ClaimedJob, outcome: DeadLettered, deps: JobDeps): Promise<RunResult> {
  const { run, hold } = claimed;
  const { clock, settings, stores, telemetry } = deps;
  const { state } = hold.value;
  const isRecorded = state.kind === 'running' && state.failing !== undefined;
  if (!isRecorded && (await markFailing(claimed, outcome, settings)) === 'lost') return afterLapse(settings.leaseMs);
  const content = await contentOf(claimed, outcome, deps);
  await untilWritten(() => stores.deadLetters.write(content), { clock, untilMs: hold.heldUntilMs });
  const recorded = await settle(claimed, 'dead', deps);
  if (recorded.kind === 'settled') {
    const { tries, crashes, redrives } = hold.value;
    telemetry.log('error', 'job-dead-lettered', {
      ...loggableFieldsOf(run.job),
      outcome: outcome.reason,
      try: tries,
      crashes,
      redrives,
      errorCode: outcome.error.code,
    });
  }
  return recorded;
}

function markFailing(
  { hold }: ClaimedJob,
  { stage, reason, error }: DeadLettered,
  { leaseMs }: Settings,
): Promise<'written' | 'lost'> {
  const countsAsTry = stage === 'failed' && reason !== 'gave-up';
  return hold.update((record) => ({
    ...record,
    state: { kind: 'running', leaseMs, failing: stage },
    tries: record.tries + (countsAsTry ? 1 : 0),
    errorCode: error.code,
  }));
}

async function contentOf(
  { run, hold }: ClaimedJob,
  { stage, reason, error, hasStarted }: DeadLettered,
  deps: JobDeps,
): Promise<DeadLetter> {
  const { job } = run;
  const { tries, crashes, redrives, firstTryAt, edit } = hold.value;
  return {
    stage,
    origin: { kind: 'job', address: job.address, redrives },
    reason,
    workflow: job.workflowName,
    ...(isLong(job.workflow, deps.settings) && { isLong: true }),
    ...(edit && { edit }),
    ...((hasStarted || (await isNewestNotApplied(job, deps))) && { holdsState: true }),
    error,
    tries,
    crashes,
    firstTryAt,
    deadLetteredAt: deps.clock.now().toISOString(),
    event: JSON.parse(job.json),
  };
}
