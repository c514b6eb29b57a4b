import type { Clock, Random } from '../clock.js';
import type { ReaderFor } from '../handler/job.js';
import { createRowQueue } from '../handler/row-queue.js';
import type { TryLimit } from '../storage/bounded.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Workflow } from '../workflow.js';
import { type Circuits, createCircuits } from './circuits.js';
import { createCompany } from './company.js';
import type { Stores } from './create-stores.js';
import { createDeliver } from './deliveries.js';
import { endProcess } from './end.js';
import { createWriteInvalid } from './invalid-events.js';
import { isFromRow, isNewerRun } from './job-slots.js';
import { createRecent } from './recent.js';
import { DueRows } from './rows.js';
import { isLong, type Settings, type Shared } from './shared.js';
import { createSlots } from './slots.js';
import { createWakeups, type Queues, type Wakeup } from './wakeups.js';

export type Pipeline = {
  /**
   * Takes a whole POST of Event Grid's, and resolves when every event in it is safe.
   * @throws NotSafeError when storage failed: nothing of the POST is acknowledged, all of it comes again.
   * @param traceParent of the invocation, W3C
   */
  deliver(events: readonly unknown[], traceParent?: string): Promise<void>;
  /** Looks for due rows now and every 10 s, until `stop`. */
  start(): void;
  /** Looks for due rows, unless a process has done so in the last 10 s. */
  look(): Promise<void>;
  /** Sends a message for each shard of `waiting` that has a row which is due. */
  wake(): Promise<void>;
  /** Runs a page of the rows of a shard that are due. Never throws: a row that fails comes again. */
  redeliver(message: Wakeup, traceParent?: string): Promise<void>;
  /** Of every workflow that has failed, since its last success: whether it is tried. */
  circuits: Circuits['states'];
  /** Ends the work of this process, see end.ts: open jobs go back to waiting. Resolves within 3.4 s. */
  stop(): Promise<void>;
};

export type PipelineDeps = {
  clock: Clock;
  random: Random;
  workflows: readonly Workflow[];
  stores: Stores;
  queues: Queues;
  /** Of the stores and queues: the end of the process shortens the limit. */
  tryLimit: TryLimit;
  readerFor: ReaderFor;
  settings: Settings;
  telemetry: Telemetry;
};

const REMEMBERED_SETTLED = 100_000;
const REMEMBERED_WAITING = 20_000;

/**
 * The way of an event:
 *   deliver     parses it (invalid-events.ts, where it is none), makes it jobs, and answers when each is safe
 *   job.ts      slots, a claim, the handler, and the record; or a row in `waiting`, or a dead letter
 *   redeliver   brings the rows that are due, each of which is a job again
 */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const wakeups = createWakeups(deps);
  const shared = createShared({ ...deps, stores: { ...deps.stores, waiting: wakeups.watching(deps.stores.waiting) } });
  const { clock, stores, settings, telemetry } = shared;
  const { deadLetters } = stores;
  const writeInvalid = createWriteInvalid({ clock, deadLetters, deadlineMs: settings.deadlineMs, telemetry });
  const deliver = createDeliver(shared, writeInvalid);
  const rows = new DueRows(shared, { queues: deps.queues, deliver, writeInvalid });
  return {
    deliver,
    start: () => wakeups.start(),
    look: () => wakeups.look(),
    wake: () => wakeups.wake(),
    redeliver: (message, traceParent) => rows.redeliver(message, traceParent),
    circuits: () => shared.circuits.states(),
    stop: () => endProcess(shared, { tryLimit: deps.tryLimit, wakeups }),
  };
}

/** Returns the state that the jobs of one process share. */
export function createShared(deps: Omit<PipelineDeps, 'queues'>): Shared {
  const { clock, random, stores, readerFor, settings, telemetry } = deps;
  const workflows = new Map(deps.workflows.map((workflow) => [workflow.name, workflow]));
  return {
    clock,
    random,
    stores,
    readerFor,
    settings,
    telemetry,
    workflows,
    running: new Map(),
    settled: createRecent(REMEMBERED_SETTLED),
    waitingRecords: createRecent(REMEMBERED_WAITING),
    // J11: retries and new events must not crowd each other out.
    slots: createSlots((workflow) => workflows.get(workflow)?.concurrency ?? 1, { isSecond: isFromRow }),
    circuits: createCircuits({ clock, random }),
    resourceSlots: createSlots(() => 1, { isBefore: isNewerRun }),
    company: createCompany({ clock, isLong: (run) => isLong(run.job.workflow, settings) }),
    rowQueue: createRowQueue(),
    shutdown: { isStopping: false, isAborting: false, onAbort: new Map() },
  };
}
