import type { Clock, Random } from '../clock.js';
import type { ChangeQueue } from '../handler/change-queue.js';
import type { Job, ReaderFor } from '../handler/job.js';
import type { Recent } from '../recent.js';
import type { ReadRecord } from '../storage/ledger.js';
import type { NewRow } from '../storage/waiting.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Setting, Workflow } from '../workflow.js';
import type { Circuits } from './circuits.js';
import type { Company } from './company.js';
import type { Stores } from './create-stores.js';
import type { JobRun } from './job-run.js';
import type { KnownPauses } from './known-pauses.js';
import type { Slots } from './slots.js';

export type Settings = {
  /** The time from the arrival of a POST after which its open jobs get rows. */
  readonly deadlineMs: number;
  readonly leaseMs: number;
  /** The workspaces whose events are accepted, in lower case. Undefined: all. */
  readonly workspaces: readonly string[] | undefined;
  /** Reads the settings of workflows. */
  readonly setting: Setting;
};

/** Everything that the run of a job uses. */
export type JobDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: Stores;
  readonly readerFor: ReaderFor;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** Slots for handlers of a workflow in this process. */
  readonly slots: Slots<string, JobRun>;
  /** The paused workflows, whose jobs wait. */
  readonly pauses: KnownPauses;
  /** The circuit breakers of workflows that keep failing. */
  readonly circuits: Circuits;
  /** One slot for each resource; the newest version in its queue goes first. */
  readonly resourceSlots: Slots<string, JobRun>;
  /** Lets the changes of a row of a workflow's table follow one another. */
  readonly changeQueue: ChangeQueue;
  /** Decides which jobs may run together. */
  readonly company: Company<JobRun>;
  /**
   * J9: records as this process left them, by the name of the row that each waits for. That row claims its job without
   * a read. If another process has changed the record since, storage refuses the claim.
   */
  readonly waitingRecords: Recent<string, ReadRecord>;
  readonly shutdown: ShutdownState;
};

/** The state of this process that deliveries, rows and the end of the process share. */
export type Shared = JobDeps & {
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** The runs of this process, by key: a second delivery of a job joins the first. */
  readonly running: Map<string, JobRun>;
  /** J9, Q4: keys of settled jobs: a redelivery costs nothing. Rows do not use them: a redrive reopens a job. */
  readonly settled: Recent<string, true>;
};

/** The progress of the end of the process (end.ts). */
type ShutdownState = {
  /** E1: no job is claimed any more. */
  isStopping: boolean;
  /** E2: the time of all handlers is over, and none starts any more. */
  isAborting: boolean;
  /** The functions that abort the handlers of runs. */
  readonly onAbort: Map<JobRun, () => void>;
};

/** Returns the row that brings `job` again. */
export function rowOf({ address, eventIdDigest, json, workflow }: Job, dueAt: Date, settings: Settings): NewRow {
  return { dueAt, isLong: isLong(workflow, settings), event: json, item: { kind: 'job', address, eventIdDigest } };
}

/** Returns whether a job may run for longer than a delivery waits. */
export function isLong(workflow: Pick<Workflow, 'timeoutMs'> | undefined, settings: Settings): boolean {
  return workflow !== undefined && workflow.timeoutMs > settings.deadlineMs;
}
