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

/** A claimed job whose handler may run. `isProbe`: the run shows whether the workflow works again. */
export type RunnableJob = ClaimedJob & {
  readonly workflow: Workflow;
  readonly isProbe: boolean;
  /** Held with `ordering: 'latest'`. */
  readonly resource?: Hold<Watermark>;
  /** The number of the holder before, if it completed. */
  readonly completedFence?: number | undefined;
};

/** Runs the handler once, under the leases of job and resource, and returns how it ended. */
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
  // Nothing more is sent; what is on its way must have arrived before another job may have the resource.
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

/** Renews the leases, and lets the end of the process abort the handler, until the function that it returns is called. */
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
    result.kind === 'timeout' || result.kind === 'hung' || (result.kind === 'threw' && saysSomething(result.error));
  if (result.kind === 'ok' && circuits.succeeded(name)) telemetry.log('info', 'circuit-closed', { workflow: name });
  if (isFailure && circuits.failed(name, isProbe)) {
    telemetry.record('circuitsOpened', 1, { workflow: name });
    telemetry.log('error', 'circuit-opened', { workflow: name });
  }
}

/** A fault of this one event, of this process, or of a storage under load says nothing of the workflow. */
function saysSomething(error: unknown): boolean {
  return !isNonRetriable(error) && !isStorageLate(error) && !(error instanceof LeaseLostError);
}
