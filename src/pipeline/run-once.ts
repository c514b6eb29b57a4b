import { JobContext } from '../handler/context.js';
import { PendingChanges } from '../handler/pending-changes.js';
import { Cancellation, type HandlerResult, runHandler } from '../handler/run-handler.js';
import { LeaseLostError } from '../handler/workflow-table.js';
import type { Watermark } from '../storage/watermarks.js';
import type { Workflow } from '../workflow.js';
import { isNonRetriable, isStorageLate } from './decide.js';
import type { Hold } from './hold.js';
import type { ClaimedJob } from './outcome.js';
import { recordHandler } from './record-metrics.js';
import { isLong, type JobDeps } from './shared.js';

/** A claimed job whose handler may run. `isProbe`: the run shows whether the circuit can close. */
export type RunnableJob = ClaimedJob & {
  readonly workflow: Workflow;
  readonly isProbe: boolean;
  /** The lease of the resource, with `ordering: 'latest'`. */
  readonly resource?: Hold<Watermark>;
  /** The fence of the previous run for the resource, if that run completed (L10). */
  readonly completedFence?: number | undefined;
};

/** Runs the handler once, under the leases of job and resource. Returns how the handler ended. */
export async function runOnce(job: RunnableJob, deps: JobDeps): Promise<HandlerResult> {
  const { clock, shutdown, settings } = deps;
  const { run, workflow } = job;
  if (shutdown.isAborting || (shutdown.isStopping && isLong(workflow, settings))) return { kind: 'stopped' };
  const cancellation = new Cancellation();
  let isOpen = true;
  const writing = new Set<Promise<unknown>>();
  const pendingChanges = new PendingChanges(clock);
  const handling = { cancellation, isOpen: () => isOpen, writing, pendingChanges };
  const context = new JobContext({ ...handling, ...contextOf(job, deps) });
  const recordEnd = recordHandler(run, deps);
  const result = await runHandler(
    { workflow, event: run.job.event, context, cancellation, pendingChanges },
    { clock, watch: (abort) => watch(job, deps, abort) },
  );
  isOpen = false; // J6: after the run nothing of the job is written
  recordEnd(result);
  recordCircuit(job, result, deps);
  // The handler sends no more writes. Those on their way must have arrived before another job may have the resource.
  if (writing.size > 0) await Promise.all(writing);
  return result;
}

function contextOf({ run, hold, resource, completedFence }: RunnableJob, deps: JobDeps) {
  const { random, stores, readerFor, changeQueue, telemetry, settings } = deps;
  return {
    job: run.job,
    attempt: hold.value.tries + 1,
    fence: resource?.value.fence,
    completedFence,
    leases: resource ? [hold, resource] : [hold],
    tables: stores.workflowTables,
    commit: stores.workflowCommit,
    readerFor,
    changeQueue,
    random,
    telemetry,
    setting: settings.setting,
  };
}

/** Renews the leases, and lets the end of the process abort the handler, until the returned function is called. */
function watch(
  { run, hold, resource }: RunnableJob,
  { shutdown }: JobDeps,
  abort: (reason: 'lost' | 'stopped') => void,
): () => void {
  const stopRenewing = [hold, resource].map((held) => held?.keep(() => abort('lost')));
  shutdown.onAbort.set(run, () => abort('stopped'));
  return () => {
    for (const stop of stopRenewing) stop?.();
    shutdown.onAbort.delete(run);
  };
}

function recordCircuit(
  { workflow, isProbe }: RunnableJob,
  result: HandlerResult,
  { circuits, telemetry }: JobDeps,
): void {
  const { name } = workflow;
  const isFailure =
    result.kind === 'timeout' || result.kind === 'hung' || (result.kind === 'threw' && countsForCircuit(result.error));
  if (result.kind === 'ok' && circuits.succeeded(name)) telemetry.log('info', 'circuit-closed', { workflow: name });
  if (isFailure && circuits.failed(name, isProbe)) {
    telemetry.record('circuitsOpened', 1, { workflow: name });
    telemetry.log('error', 'circuit-opened', { workflow: name });
  }
}

/** Returns false for a fault of this one event, of this process, or of storage under load. */
function countsForCircuit(error: unknown): boolean {
  return !isNonRetriable(error) && !isStorageLate(error) && !(error instanceof LeaseLostError);
}
