import { errorCodeOf } from '../errors.js';
import { describeError } from '../handler/describe-error.js';
import { loggableFieldsOf, workflowLabelOf } from '../handler/job.js';
import type { HandlerResult } from '../handler/run-handler.js';
import { LeaseLostError } from '../handler/workflow-table.js';
import type { Failing, JobRecord } from '../storage/ledger.js';
import type { Watermark } from '../storage/watermarks.js';
import { afterLapse, ageMsOf, decideFailure, LOOK_AGAIN_MS, longestRetryMs, UNKNOWN_LOOK_AGAIN_MS } from './decide.js';
import type { Hold } from './hold.js';
import { applyVersion, freeResource, takeResource } from './latest.js';
import { type ClaimedJob, type JobOutcome, PAUSED, type Retry, retryIn } from './outcome.js';
import { type RunnableJob, runOnce } from './run-once.js';
import type { JobDeps } from './shared.js';

/** The time for which a job waits for a workflow that this app does not have. */
const MAX_UNKNOWN_MS = 30 * 60_000;
/** L9: the time limit for freeing a resource, so that the job's own lease lasts. */
const FREE_WITHIN_MS = 5000;
/** The part of a job's lease, at most a third, that is kept to record the outcome if the watermark is not written. */
const TO_RECORD_MS = 10_000;

/** Runs the handler of a claimed job, unless there is a reason not to. Returns the outcome, for `recordOutcome`. */
export async function workJob(claimed: ClaimedJob, deps: JobDeps): Promise<JobOutcome> {
  const { run, hold } = claimed;
  const { workflow } = run.job;
  const { state } = hold.value;
  if (state.kind === 'running' && state.failing) return failAgain(hold.value, state.failing);
  await deps.pauses.refreshed(); // J13: the job may have queued for long
  const pausedMs = deps.pauses.waitMs(run.job.workflowName);
  // Before the next check: during a pause no job becomes a dead letter, even if the app no longer has its workflow.
  if (pausedMs !== undefined) return retryIn(pausedMs, PAUSED);
  if (!workflow) return awaitWorkflow(hold.value, deps);
  if (!hold.mayStart()) return afterLapse(deps.settings.leaseMs);

  const ageMs = ageMsOf(hold.value, deps.clock.now());
  const circuit = deps.circuits.enter(workflow.name, ageMs);
  // A job that would wait longer than its tries may take runs now: no job becomes a dead letter without a try.
  if (circuit.kind === 'wait' && ageMs + circuit.waitMs <= longestRetryMs(workflow))
    return retryIn(circuit.waitMs, 'circuit-open');
  const isProbe = circuit.kind === 'in' && circuit.isProbe;
  const job = { ...claimed, workflow, isProbe };
  try {
    return workflow.ordering === 'any'
      ? decideOutcome(await runOnce(job, deps), job, deps)
      : await workLatest(job, deps);
  } finally {
    if (circuit.kind === 'in') circuit.leave();
  }
}

async function workLatest(job: RunnableJob, deps: JobDeps): Promise<JobOutcome> {
  const claim = await takeResource(job.run.job, deps).catch((error) => retryIn(LOOK_AGAIN_MS, errorCodeOf(error)));
  if (claim.kind !== 'won') return claim;
  const { hold, completedFence } = claim;
  return workWithResource({ ...job, resource: hold, completedFence }, deps);
}

async function workWithResource(job: RunnableJob & { resource: Hold<Watermark> }, deps: JobDeps): Promise<JobOutcome> {
  const { clock, settings } = deps;
  const { hold, resource } = job;
  // J6: no handler starts near the end of a lease.
  const result: HandlerResult = hold.mayStart() && resource.mayStart() ? await runOnce(job, deps) : { kind: 'lost' };
  if (result.kind === 'ok') {
    // L8: effect, watermark, record. If the process dies before the record, the next run finds its key in the watermark
    // (L6).
    const toRecordMs = Math.min(TO_RECORD_MS, settings.leaseMs / 3);
    const isApplied = await applyVersion(resource, hold.heldUntilMs - toRecordMs);
    return isApplied ? { kind: 'completed' } : retryIn(LOOK_AGAIN_MS, 'resource-lost');
  }
  const freeing = freeResource(resource, clock.monotonic() + FREE_WITHIN_MS);
  // E4: a process that ends has no time for two writes in a row. If another process claims the job before the resource
  // is free, the job waits there.
  if (result.kind === 'stopped') return { ...runElsewhere(hold.value), freeing };
  await freeing;
  if (result.kind === 'lost' && !hold.isOver) return retryIn(LOOK_AGAIN_MS, 'resource-lost');
  return decideOutcome(result, job, deps);
}

function decideOutcome(result: HandlerResult, job: RunnableJob, deps: JobDeps): JobOutcome {
  const { telemetry } = deps;
  switch (result.kind) {
    case 'ok':
      return { kind: 'completed' };
    case 'lost':
      telemetry.record('leasesLost', 1, { workflow: workflowLabelOf(job.run.job) });
      telemetry.log('warn', 'job-lease-lost', loggableFieldsOf(job.run.job));
      return afterLapse(deps.settings.leaseMs);
    case 'stopped':
      return runElsewhere(job.hold.value);
    case 'threw':
      if (result.error instanceof LeaseLostError) return retryIn(LOOK_AGAIN_MS, 'lease-lost');
      return fail(result.error, job, deps);
    case 'hung':
      telemetry.count('jobsHung');
      telemetry.log('error', 'job-hung', loggableFieldsOf(job.run.job));
      return fail(Object.assign(new Error(), { code: 'hung' }), job, deps);
    case 'timeout':
      return fail(Object.assign(new Error(), { code: 'timeout' }), job, deps);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(result satisfies never)}`);
  }
}

function fail(thrown: unknown, { run, hold, workflow, resource }: RunnableJob, deps: JobDeps): JobOutcome {
  const { clock, random } = deps;
  const failure = decideFailure(thrown, { record: hold.value, workflow }, { now: clock.now(), random });
  const error = describeError(thrown, run.job);
  if (failure.kind === 'retry') return { ...failure, code: error.code };
  const hasStarted = resource !== undefined;
  return { kind: 'dead-lettered', stage: 'failed', reason: failure.reason, error, hasStarted };
}

/** J8: the outcome of a job whose process died while it wrote the dead letter: only the write is repeated. */
function failAgain({ errorCode }: JobRecord, stage: Failing): JobOutcome {
  const error = { name: 'Error', code: stage === 'crash' ? 'crash' : errorCode, message: '' };
  return { kind: 'dead-lettered', stage, reason: stage, error, hasStarted: false };
}

/** The outcome of a job without a workflow: it waits, because another version of the app may have the workflow. */
function awaitWorkflow({ unknownSince }: JobRecord, { clock }: JobDeps): JobOutcome {
  const now = clock.now();
  const since = unknownSince || now.toISOString();
  if (now.getTime() - new Date(since).getTime() < MAX_UNKNOWN_MS)
    return { ...retryIn(UNKNOWN_LOOK_AGAIN_MS, 'unknown-workflow'), unknownSince: since };
  const message = 'No workflow of this name was there for 30 minutes.';
  const error = { name: 'Error', code: 'unknown-workflow', message };
  return { kind: 'dead-lettered', stage: 'unknown-workflow', reason: 'unknown-workflow', error, hasStarted: false };
}

/** E3: the outcome of a job that another process continues at once. It counts neither as a try nor as a crash. */
function runElsewhere({ errorCode }: JobRecord): Retry {
  return retryIn(0, errorCode);
}
