import type { Clock, Random } from '../clock.js';
import type { HealthEvent } from '../events/health-event.js';
import { type Address, placeOf } from '../storage/address.js';
import type { Stores } from '../storage/create-stores.js';
import type { ReadRecord, Result } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Span, Telemetry } from '../telemetry/telemetry.js';
import type { ReaderOf, Setting, Workflow } from '../workflow.js';
import type { Circuits } from './circuits.js';
import type { Company, Member } from './company.js';
import type { Post } from './post.js';
import type { Recent } from './recent.js';
import type { RowTurns } from './row-turns.js';
import type { Slots } from './slots.js';

/** One job on its way through this process. */
export type Run = {
  readonly address: Address;
  readonly event: HealthEvent;
  /** The same for both envelope schemas, and for every redelivery. Of a corrected payload, that of the original. */
  readonly eventKey: string;
  /** The event as the function received it. */
  readonly json: string;
  readonly workflowName: string;
  /** Undefined where this process does not know it. */
  readonly workflow: Workflow | undefined;
  /** The row that brought it; undefined for a delivery. */
  readonly row: WaitingRow | undefined;
  /** Deliveries that wait until it is safe. */
  readonly posts: Post[];
  /** A row exists, or it is settled: what happens from here on cannot lose it. */
  isSafe: boolean;
  /** The row that the deadline of a delivery asked for, on its way. */
  puttingOff: Promise<void> | undefined;
  /** Set by company.ts. */
  presence: Member['presence'];
  /** Tried to see whether its workflow works again. */
  isProbe: boolean;
  /** This run has taken its resource: its version is the newest that has started. */
  hasStarted: boolean;
  /** Of the trace of what brought it; undefined where nobody will see it. */
  span: Span | undefined;
  /** Resolves when this process is done with it. */
  ended: Promise<void> | undefined;
  /** Where it stands in line, if it does; called to take it out of there. */
  leaveLine: (() => void) | undefined;
};

/** How a run ends. */
export type Ending =
  | { kind: 'settled'; result: Result; redrives: number }
  /** The record waits for a row: the one that this run has written, or another than the one that brought it. */
  | { kind: 'waiting'; redrives: number }
  /** Nothing was recorded, or somebody else has it: what brought it must bring it again. */
  | { kind: 'put-off'; inMs: number }
  /** Storage failed: whether anything was written is not known. */
  | { kind: 'failed'; error: unknown };

export type Settings = {
  readonly deadlineMs: number;
  readonly leaseMs: number;
  /** Sources that are accepted, in lower case; undefined: all. */
  readonly workspaces: readonly string[] | undefined;
  /** For workflows. */
  readonly setting: Setting;
};

/**
 * What reads the resource of an event, until `signal` aborts. It may share what it reads among all who ask with the same
 * event object: the jobs of one event have it in common, in a delivery and in a page of rows.
 */
export type ReaderFor = (event: HealthEvent, signal: AbortSignal) => ReaderOf<HealthEvent>;

export type JobDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: Stores;
  readonly readerFor: ReaderFor;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** Places for handlers of a workflow in this process. */
  readonly slots: Slots<string>;
  /** Workflows that keep failing are tried one job at a time. */
  readonly circuits: Circuits;
  /** One place for each resource; the newest version in line goes first. */
  readonly turns: Slots<string>;
  /** Changes of a row of a workflow's table follow one another. */
  readonly rowTurns: RowTurns;
  /** Which jobs run beside which. */
  readonly company: Company<Run>;
  /**
   * By the name of the row that it waits for, a record as this process has left it: that row claims it without a read.
   * Where somebody has changed the record since, the claim is refused, and shows it. Of no other row does it say anything.
   */
  readonly waitingRecords: Recent<string, ReadRecord>;
  readonly life: Life;
};

/** What this process is at, and what it remembers: deliveries, rows and its end share it. */
export type Shared = JobDeps & {
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** A second delivery of a job joins the first. */
  readonly running: Map<Address, Run>;
  /** Jobs that are settled, so that a redelivery costs nothing. Deliveries ask it; rows, which may reopen a job, do not. */
  readonly settled: Recent<Address, true>;
};

/** The end of the process. */
export type Life = {
  isStopping: boolean;
  /** Handlers have had their time: none is started any more. */
  isAborting: boolean;
  /** What to call when handlers are to be aborted. */
  readonly onAbort: Map<Run, () => void>;
};

export function isLong(workflow: Pick<Workflow, 'timeoutMs'> | undefined, settings: Settings): boolean {
  return workflow !== undefined && workflow.timeoutMs > settings.deadlineMs;
}

/** What of a run may be told. */
export function fieldsOf(run: Run): { eventId: string; type: string; workflow: string; resourceType?: string } {
  const { event, workflowName } = run;
  return {
    eventId: event.id,
    type: event.type,
    workflow: workflowName,
    ...(event.service === 'fhir' ? { resourceType: event.resourceType } : {}),
  };
}

type Job = Pick<Run, 'address' | 'event' | 'json' | 'workflow' | 'workflowName'>;

export function newRun(job: Job, row: WaitingRow | undefined): Run {
  const { address, event, json, workflow, workflowName } = job;
  return {
    address,
    event,
    eventKey: placeOf(address).eventKey,
    json,
    workflow,
    workflowName,
    row,
    posts: [],
    isSafe: false,
    puttingOff: undefined,
    presence: undefined,
    isProbe: false,
    hasStarted: false,
    leaveLine: undefined,
    span: undefined,
    ended: undefined,
  };
}
