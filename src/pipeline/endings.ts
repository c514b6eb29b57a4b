import type { DeadLetter } from '../storage/dead-letters.js';
import type { Failing, JobRecord, Result } from '../storage/ledger.js';
import { traced } from '../telemetry/telemetry.js';
import { type Failure, LAPSE_MARGIN_MS } from './decide.js';
import type { Hold } from './hold.js';
import { holdsState } from './latest.js';
import { type Ending, fieldsOf, isLong, type JobDeps, type Run } from './run.js';
import { tellJob, tellSettled } from './tell.js';
import { untilWritten } from './until-written.js';

// The three ways in which the holder ends its work on a job: settled, a row that brings it back, a dead letter.

// Settling           dies before it: the lease lapses, and the job runs again; after it: done.
//                    outcome unknown: sent until the lease has lapsed; deliveries share the answer meanwhile.
export async function settle(run: Run, hold: Hold<JobRecord>, result: Result, deps: JobDeps): Promise<Ending> {
  const { settings } = deps;
  const settled = (record: JobRecord): JobRecord => ({
    ...record,
    state: { kind: 'settled', result },
    tries: result === 'completed' ? record.tries + 1 : record.tries,
    errorCode: result === 'dead' ? record.errorCode : '',
  });
  const outcome = await traced(run.span, 'settle', () => hold.update(settled));
  if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  tellSettled(run, hold.value, result, deps);
  return { kind: 'settled', result, redrives: hold.value.redrives };
}

// Waiting: row, then record, and only then is the old row deleted (by who brought it).
//   dies after the row: it finds the record running, stays until the lease has lapsed, and takes over.
//   dies after the record: the old row finds that another is waited for, and goes.
export async function waitForRow(
  run: Run,
  hold: Hold<JobRecord>,
  wait: { inMs: number; countsAsTry: boolean; code: string; unknownSince?: string },
  deps: JobDeps,
): Promise<Ending> {
  const { clock, stores, settings, telemetry, waitingRecords } = deps;
  const { inMs, countsAsTry, code, unknownSince = '' } = wait;
  const due = await stores.waiting.add(
    {
      dueAt: new Date(clock.now().getTime() + inMs),
      isLong: isLong(run.workflow, settings),
      event: run.json,
      of: { kind: 'job', address: run.address },
    },
    hold.heldUntilMs,
  );
  run.isSafe = true;
  const waiting = (record: JobRecord): JobRecord => ({
    ...record,
    state: { kind: 'waiting', due },
    tries: record.tries + (countsAsTry ? 1 : 0),
    errorCode: code,
    unknownSince,
  });
  const outcome = await traced(run.span, 'settle', () => hold.update(waiting));
  if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  waitingRecords.set(due, { record: hold.value, etag: hold.etag, ageMs: 0 });
  tellJob(run, 'retried', deps);
  telemetry.log(countsAsTry ? 'warn' : 'info', countsAsTry ? 'job-retries' : 'job-waits', {
    ...fieldsOf(run),
    try: hold.value.tries,
    errorCode: code,
    durationMs: inMs,
  });
  return { kind: 'waiting', redrives: hold.value.redrives };
}

// Failing for good: the record says so, then the dead letter, then the record is settled, each by the holder.
//   dies after the first: who takes over writes the dead letter and runs nothing; after the second: it writes the same
//   name, which changes nothing; so there is never a dead letter beside a completed job.
export async function failForGood(
  run: Run,
  hold: Hold<JobRecord>,
  failure: { stage: Failing; reason: string; error: DeadLetter['error'] },
  deps: JobDeps,
): Promise<Ending> {
  const { clock, stores, settings, telemetry } = deps;
  const { stage, reason, error } = failure;
  const isRecorded = hold.value.state.kind === 'running' && hold.value.state.failing !== undefined;
  if (!isRecorded) {
    const countsAsTry = stage === 'failed' && (reason as (Failure & { kind: 'for-good' })['reason']) !== 'gave-up';
    const outcome = await hold.update((record) => ({
      ...record,
      state: { kind: 'running', leaseMs: settings.leaseMs, failing: stage },
      tries: record.tries + (countsAsTry ? 1 : 0),
      errorCode: error.code,
    }));
    if (outcome === 'lost') return { kind: 'put-off', inMs: settings.leaseMs + LAPSE_MARGIN_MS };
  }
  const { tries, crashes, redrives, firstTryAt, edit } = hold.value;
  const letter: DeadLetter = {
    stage,
    of: { kind: 'job', address: run.address, redrives },
    reason,
    workflow: run.workflowName,
    ...(isLong(run.workflow, settings) && { isLong: true }),
    ...(edit && { edit }),
    ...((await holdsState(run, deps)) && { holdsState: true }),
    error,
    tries,
    crashes,
    firstTryAt,
    deadLetteredAt: clock.now().toISOString(),
    event: JSON.parse(run.json),
  };
  await untilWritten(() => stores.deadLetters.write(letter), { clock, untilMs: hold.heldUntilMs });
  const ending = await settle(run, hold, 'dead', deps);
  if (ending.kind === 'settled') {
    telemetry.log('error', 'job-dead-lettered', {
      ...fieldsOf(run),
      outcome: reason,
      try: tries,
      crashes,
      redrives,
      errorCode: error.code,
    });
  }
  return ending;
}
