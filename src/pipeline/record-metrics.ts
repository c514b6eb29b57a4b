import { errorCodeOf } from '../errors.js';
import { type Job, loggableFieldsOf, workflowLabelOf } from '../handler/job.js';
import type { HandlerResult } from '../handler/run-handler.js';
import type { Result } from '../storage/ledger.js';
import type { AttributesOf } from '../telemetry/metrics.js';
import type { EndedRun, Telemetry } from '../telemetry/telemetry.js';
import type { JobRun } from './job-run.js';
import type { ClaimedJob, RunResult } from './outcome.js';
import type { JobDeps } from './shared.js';

type CountedOutcome = AttributesOf<'jobs'>['outcome'];
type Lag = AttributesOf<'jobsSettled'>['lag'];

// The outcomes as metrics and spans name them. The names stay, because dashboards hold them: `put-off` is deferred.
const SETTLED = { completed: 'completed', superseded: 'superseded', dead: 'dead-lettered' } as const;
const NOT_SETTLED = { waiting: 'waiting', deferred: 'put-off', unknown: 'failed' } as const;
const HANDLED: Record<HandlerResult['kind'], AttributesOf<'workflowDuration'>['outcome']> = {
  ok: 'done',
  threw: 'failed',
  timeout: 'failed',
  hung: 'failed',
  lost: 'aborted',
  stopped: 'aborted',
};

/** Logs that storage did not confirm the outcome of a run, or the row that defers its job. */
export function logNotWritten({ job }: JobRun, error: unknown, { telemetry }: JobDeps): void {
  telemetry.log('error', 'job-not-written', { ...loggableFieldsOf(job), errorCode: errorCodeOf(error) });
}

/** Counts, in the metric `jobs`, a job that this run does not settle: as duplicate, shared, put-off or retried. */
export function countJob(job: Pick<Job, 'workflow'>, outcome: CountedOutcome, { telemetry }: JobDeps): void {
  telemetry.record('jobs', 1, { workflow: workflowLabelOf(job), outcome });
}

/** Records a settled job, its tries and its lag; no lag if the job was redriven or its event has no time. */
export function recordSettled({ run, hold }: ClaimedJob, result: Result, { telemetry, clock }: JobDeps): void {
  const record = hold.value;
  const attributes = { workflow: workflowLabelOf(run.job), outcome: SETTLED[result] };
  telemetry.record('jobs', 1, attributes);
  telemetry.record('jobTries', record.tries, attributes);
  recordEnded({ run, hold }, attributes.outcome, telemetry);
  if (record.redrives > 0) telemetry.record('jobsSettled', 1, { ...attributes, lag: 'redriven' });
  else if (run.job.event.time !== undefined) {
    // The services' clock may be ahead of ours.
    const lagS = Math.max(0, clock.now().getTime() - Date.parse(run.job.event.time)) / 1000;
    telemetry.record('jobLag', lagS, attributes);
    telemetry.record('jobsSettled', 1, { ...attributes, lag: lagOf(lagS) });
  }
}

/** Records the end of a run. Call it after the job's record was written. */
export function recordEnded(
  { run, hold }: ClaimedJob,
  outcome: EndedRun['outcome'],
  telemetry: Pick<Telemetry, 'ended'>,
): void {
  const { event } = run.job;
  telemetry.ended({
    eventId: event.id,
    type: event.type,
    resourceType: event.service === 'fhir' ? event.resourceType : '',
    workflow: workflowLabelOf(run.job),
    outcome,
    try: hold.value.tries,
    durationMs: run.handlerMs,
    errorCode: hold.value.errorCode,
  });
}

function lagOf(lagS: number): Lag {
  return lagS <= 1 ? 'within-1s' : lagS <= 5 ? 'within-5s' : 'over-5s';
}

/** Records that a handler starts. Call the function that it returns when the handler has ended. */
export function recordHandler(run: JobRun, { telemetry, clock }: JobDeps): (result: HandlerResult) => void {
  const workflow = workflowLabelOf(run.job);
  const span = run.span?.child('workflow', { workflow });
  const startedAtMs = clock.monotonic();
  return ({ kind }) => {
    const outcome = HANDLED[kind];
    run.handlerMs = clock.monotonic() - startedAtMs;
    telemetry.record('workflowDuration', run.handlerMs / 1000, { workflow, outcome });
    span?.end({ outcome: kind, ...(outcome === 'failed' && { errorCode: kind }) });
  };
}

/** Returns the outcome of a run, as its span holds it. */
export function spanOutcomeOf(recorded: RunResult): string {
  return recorded.kind === 'settled' ? recorded.result : NOT_SETTLED[recorded.kind];
}
