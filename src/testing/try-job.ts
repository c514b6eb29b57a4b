import { DeadLetters } from '../dead-letters/store/dead-letters.js';
import { type EventKey, keyOf } from '../events/key.js';
import type { Stores } from '../pipeline/create-stores.js';
import { withClaim } from '../pipeline/job.js';
import { JobRun } from '../pipeline/job-run.js';
import type { JobOutcome } from '../pipeline/outcome.js';
import { createShared } from '../pipeline/pipeline.js';
import { recordOutcome } from '../pipeline/record-outcome.js';
import type { JobDeps } from '../pipeline/shared.js';
import { workJob } from '../pipeline/work.js';
import { type Address, addressOf } from '../storage/address.js';
import { CallLimit } from '../storage/bounded.js';
import { createGroupCommit } from '../storage/group-commit.js';
import { createLedger, type JobRecord } from '../storage/ledger.js';
import { createLooks } from '../storage/looks.js';
import { createMemoryBlobStore } from '../storage/memory-blob-store.js';
import { createMemoryTableStore } from '../storage/memory-table-store.js';
import { createPauses } from '../storage/pauses.js';
import { createWaiting, dueAtOf, type WaitingRow } from '../storage/waiting.js';
import type { HealthEvent, Setting, Workflow } from '../workflow.js';
import { type Content, readerOfContent, readerOfNothing } from './content.js';

/** The circumstances of the job before and during the try. */
export type TryOptions = {
  /** Number of the try (default 1): the handler sees this number, and it decides which try is the last. */
  attempt?: number;
  /** Time of the first try (default now). `giveUpAfter` counts from this time. */
  firstTryAt?: Date;
  /**
   * Content of the handler's reads: a resource, `undefined` if it is gone, an error to throw, or an object with each
   * read by name.
   */
  resource?: Content;
  /** Abort this signal to end the process during the try. */
  processEnds?: AbortSignal;
  /**
   * The process dies when the handler has ended, before the app records anything: the result is `unknown`. Run the same
   * event again to see what the next process does.
   */
  processDies?: boolean;
};

/** The outcome of one try, in the app's words. `error` is the error of the handler, or undefined. */
export type TryResult =
  | { kind: 'completed' }
  /** `ordering: 'latest'`: a newer version has started before. The handler did not run. */
  | { kind: 'superseded' }
  /** A row runs the job again; `inMs` is without the jitter of 20 % that the app adds. */
  | { kind: 'retry'; inMs: number; countsAsTry: boolean; code: string; error: unknown }
  | { kind: 'dead-lettered'; reason: string; code: string; error: unknown }
  /** The process ended first: another process runs the job, and this does not count as a try. */
  | { kind: 'deferred'; inMs: number }
  /** The process died before it recorded anything. */
  | { kind: 'unknown' }
  /** The workflow does not select this event. The handler did not run. */
  | { kind: 'ignored' };

/** The parts that the tries of a kit share. */
export type World = Pick<JobDeps, 'clock' | 'random' | 'telemetry' | 'changeQueue'> &
  Pick<Stores, 'watermarks' | 'workflowTables' | 'workflowCommit'> & {
    readonly setting: Setting;
    /** The queues of each workflow. */
    readonly queues: Map<string, Pick<JobDeps, 'slots' | 'resourceSlots'>>;
    /** The events of one change, by the address of the first: each has an address of its own, as in the ledger. */
    readonly incarnations: Map<Address, EventKey['id'][]>;
  };

const DEADLINE_MS = 15_000;
/** The lease is longer than any test, so that no lease lapses while a test moves the clock. */
const LEASE_MS = 30 * 24 * 3_600_000;
const DIES = new Error('The process dies here.');
/**
 * The name of the row that runs the job. The job comes from a row, not a delivery, because a record holds the number of
 * the try.
 */
const ROW = '2026-01-01T00:00:00.000Z.kit';

/** The error of the handler. */
type Seen = { error?: unknown };

/**
 * Runs one job through the pipeline's own code, from the claim to the record. The ledger, `waiting` and the dead
 * letters belong to this try alone, so that the same event can run again. Tables and watermarks are those of `world`.
 */
export async function tryJob(
  { workflow, event, options }: { workflow: Workflow; event: HealthEvent; options: TryOptions },
  world: World,
): Promise<TryResult> {
  const seen: Seen = {};
  const run = runOf(event, observed(workflow, options, seen), world);
  const deps = depsOf(run.job.workflow as Workflow, options, world);
  const { ledger } = deps.stores;
  await ledger.write(run.job.address, recordOf(options, world), { event, untilMs: Number.POSITIVE_INFINITY });

  const stopListening = onAbort(options.processEnds, () => endProcess(deps));
  let outcome: JobOutcome = { kind: 'deferred', inMs: 0 }; // the process ends before the claim
  const recorded = await withClaim(run, deps, async (claimed) => {
    outcome = await workJob(claimed, deps);
    return recordOutcome(claimed, outcome, deps);
  });
  stopListening();

  if (recorded.kind === 'unknown') throw recorded.error;
  if (seen.error === DIES) return { kind: 'unknown' };
  return recorded.kind === 'deferred' ? recorded : resultOf(outcome, seen.error);
}

function resultOf(outcome: JobOutcome, error: unknown): TryResult {
  switch (outcome.kind) {
    case 'retry': {
      const { inMs, countsAsTry, code } = outcome;
      if (code === '') return { kind: 'deferred', inMs }; // only the end of the process defers a job without a code
      return { kind: 'retry', inMs, countsAsTry, code, error };
    }
    case 'dead-lettered':
      return { kind: 'dead-lettered', reason: outcome.reason, code: outcome.error.code, error };
    default:
      return outcome;
  }
}

/** Returns `workflow` with a handler that records its error. */
function observed(workflow: Workflow, { processDies }: TryOptions, seen: Seen): Workflow {
  return {
    ...workflow,
    async handle(event, context) {
      try {
        await workflow.handle(event, context);
        if (processDies) throw DIES; // frees the resource and applies no version, as the end of a lease does
      } catch (error) {
        seen.error = error;
        throw error;
      }
    },
  };
}

function runOf(event: HealthEvent, workflow: Workflow, { incarnations }: World): JobRun {
  const key = keyOf(event);
  const first = addressOf(key, workflow.name);
  const ids = incarnations.get(first) ?? [];
  incarnations.set(first, ids);
  const number = ids.includes(key.id) ? ids.indexOf(key.id) : ids.push(key.id) - 1;
  const address = first.replace(/0$/, String(number));
  const json = JSON.stringify(event);
  const row: WaitingRow = {
    shard: '0',
    name: ROW,
    dueAt: dueAtOf(ROW),
    isLong: false,
    event: json,
    item: { kind: 'job', address, eventIdDigest: key.id },
  };
  return new JobRun({ address, eventIdDigest: key.id, event, json, workflow, workflowName: workflow.name }, { row });
}

function recordOf({ attempt = 1, firstTryAt }: TryOptions, { clock }: World): JobRecord {
  return {
    state: { kind: 'waiting', due: ROW },
    owner: 'kit',
    write: 1,
    tries: attempt - 1,
    crashes: 0,
    crashesAlone: 0,
    redrives: 0,
    firstTryAt: (firstTryAt ?? clock.now()).toISOString(),
    errorCode: '',
    unknownSince: '',
  };
}

function depsOf(workflow: Workflow, options: TryOptions, world: World): JobDeps {
  const { clock, random, telemetry, setting, changeQueue, queues, incarnations: _, ...kept } = world;
  const tables = createMemoryTableStore({ clock });
  const commit = createGroupCommit({ tables, clock, random });
  const waiting = createWaiting({ tables, commit, clock, random });
  const deadLetters = new DeadLetters({ blobs: createMemoryBlobStore({ clock }) });
  const shared = createShared({
    clock,
    random,
    telemetry,
    workflows: [workflow],
    stores: {
      ...kept,
      ledger: createLedger({ tables, commit }),
      looks: createLooks({ tables }),
      pauses: createPauses({ tables }),
      storageNow: async () => clock.now(),
      waiting,
      deadLetters,
    },
    readerFor: (event) => ('resource' in options ? readerOfContent(event, options.resource) : readerOfNothing(event)),
    settings: { deadlineMs: DEADLINE_MS, leaseMs: LEASE_MS, workspaces: undefined, setting },
    callLimit: new CallLimit(DEADLINE_MS),
  });
  const { slots, resourceSlots } = queues.get(workflow.name) ?? shared;
  queues.set(workflow.name, { slots, resourceSlots });
  return { ...shared, slots, resourceSlots, changeQueue };
}

/** Ends the process as a shutdown does: no claim, no handler, and the handler that runs is aborted. */
function endProcess({ shutdown }: JobDeps): void {
  shutdown.isStopping = true;
  shutdown.isAborting = true;
  for (const abort of [...shutdown.onAbort.values()]) abort();
}

function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted) run();
  signal?.addEventListener('abort', run);
  return () => signal?.removeEventListener('abort', run);
}
