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

const UNKNOWN_FOR_GOOD_MS = 30 * 60_000;
/** L9: the time in which a job tries to free its resource, so that its own lease lasts. */
const FREE_WITHIN_MS = 5000;
/**
 * The part of the job's lease that is kept to record the outcome if the watermark cannot be written; a third at most.
 */
const TO_RECORD_MS = 10_000;

/** Works on a claimed job, and returns how its run ends. The record is left to `recordOutcome`. */
export async function workJob(claimed: ClaimedJob, deps: JobDeps): Promise<JobOutcome> {
  const { run, hold } = claimed;
  const { workflow } = run.job;
  const { state } = hold.value;
  if (state.kind === 'running' && state.failing) return failAgain(hold.value, state.failing);
  await deps.pauses.refreshed(); // J13: the job may have queued for long
  const pausedMs = deps.pauses.waitMs(run.job.workflowName);
  // No job is given up during a pause, also not where the app no longer has its workflow.
  if (pausedMs !== undefined) return retryIn(pausedMs, PAUSED);
  if (!workflow) return awaitWorkflow(hold.value, deps);
  if (!hold.mayStart()) return afterLapse(deps.settings.leaseMs);

  const ageMs = ageMsOf(hold.value, deps.clock.now());
  const circuit = deps.circuits.enter(workflow.name, ageMs);
  // A job that has waited as long as its tries may take runs all the same: no job is given up without a try.
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
  const result: HandlerResult = hold.mayStart() && resource.mayStart() ? await runOnce(job, deps) : { kind: 'lost' }; // J6
  if (result.kind === 'ok') {
    // L8: effect, watermark, record. Dies in between: the next run of this event finds its own key in the watermark.
    const toRecordMs = Math.min(TO_RECORD_MS, settings.leaseMs / 3);
    const isApplied = await applyVersion(resource, hold.heldUntilMs - toRecordMs);
    return isApplied ? { kind: 'completed' } : retryIn(LOOK_AGAIN_MS, 'resource-lost');
  }
  const freeing = freeResource(resource, clock.monotonic() + FREE_WITHIN_MS);
  // E4: the end of the process has no time for one write after the other. If another process runs the job before the
  // resource is free, the job waits.
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

/** J8: a process died while it wrote the dead letter. Nothing runs; the dead letter is written again. */
function failAgain({ errorCode }: JobRecord, stage: Failing): JobOutcome {
  const error = { name: 'Error', code: stage === 'crash' ? 'crash' : errorCode, message: '' };
  return { kind: 'dead-lettered', stage, reason: stage, error, hasStarted: false };
}

/** The workflow may come with the next version of the app, or be back with the version before. */
function awaitWorkflow({ unknownSince }: JobRecord, { clock }: JobDeps): JobOutcome {
  const now = clock.now();
  const since = unknownSince || now.toISOString();
  if (now.getTime() - new Date(since).getTime() < UNKNOWN_FOR_GOOD_MS)
    return { ...retryIn(UNKNOWN_LOOK_AGAIN_MS, 'unknown-workflow'), unknownSince: since };
  const message = 'No workflow of this name was there for 30 minutes.';
  const error = { name: 'Error', code: 'unknown-workflow', message };
  return { kind: 'dead-lettered', stage: 'unknown-workflow', reason: 'unknown-workflow', error, hasStarted: false };
}

/** E3: due at once, neither a try nor a crash. */
function runElsewhere({ errorCode }: JobRecord): Retry {
  return retryIn(0, errorCode);
}
