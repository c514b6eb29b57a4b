import { createChangeQueue } from '../handler/change-queue.js';
import { createRecent } from '../recent.js';
import type { CallLimit } from '../storage/bounded.js';
import type { Workflow } from '../workflow.js';
import { Circuits } from './circuits.js';
import { Company } from './company.js';
import { DeliveredJobs } from './delivered-jobs.js';
import { type Deliver, Deliveries } from './deliveries.js';
import { DueRows } from './due-rows.js';
import { endProcess } from './end.js';
import { createWriteInvalid } from './invalid-events.js';
import { isNewerRun } from './job-slots.js';
import { KnownPauses } from './known-pauses.js';
import { isLong, type Shared } from './shared.js';
import { Slots } from './slots.js';
import { type Queues, type Wakeup, Wakeups } from './wakeups.js';

export type Pipeline = ReturnType<typeof createPipeline>;

type PipelineDeps = Pick<Shared, 'clock' | 'random' | 'stores' | 'readerFor' | 'settings' | 'telemetry'> & {
  readonly workflows: readonly Workflow[];
  readonly queues: Queues;
  /** The time limit of each call of the stores and queues. The end of the process shortens it. */
  readonly callLimit: CallLimit;
};

const REMEMBERED_SETTLED = 100_000;
const REMEMBERED_WAITING = 20_000;

/**
 * Returns the pipeline of a process. An event passes through it in these steps:
 *   deliver     parses the event and makes its jobs; an invalid event becomes a dead letter. Resolves when all are safe
 *   job.ts      runs a job: slots, claim, handler, and then the record, a row in `waiting`, or a dead letter
 *   redeliver   runs the rows that are due
 */
export function createPipeline(deps: PipelineDeps) {
  const { queues, callLimit, stores } = deps;
  const wakeups = new Wakeups(deps);
  const shared = createShared({ ...deps, stores: { ...stores, waiting: wakeups.withWakeups(stores.waiting) } });
  const writeInvalid = createWriteInvalid(shared);
  const jobs = new DeliveredJobs(shared);
  const deliveries = new Deliveries(shared, { jobs, writeInvalid });
  const deliver: Deliver = (events, traceParent) => deliveries.deliver(events, traceParent);
  const rows = new DueRows(shared, { queues, deliver, writeInvalid, multiJobRows: jobs.rows });
  return {
    deliver,
    redeliver: (message: Wakeup, traceParent?: string) => rows.redeliver(message, traceParent),
    /** Looks for due rows now and every 10 s, until `stop`. */
    start: () => void wakeups.start(),
    /** Looks for due rows, unless a process has done so in the last 10 s. */
    look: async () => void (await wakeups.look()),
    /** Looks for due rows now, even if a process has just done so. */
    wake: () => wakeups.wake(),
    circuits: () => shared.circuits.states(),
    /** Ends the work of this process (end.ts): open jobs go back to waiting. Resolves within 3.4 s. */
    stop: () => endProcess(shared, { callLimit, wakeups }),
  };
}

/** Returns the state that the jobs of one process share. */
export function createShared(deps: Omit<PipelineDeps, 'queues'>): Shared {
  const { clock, random, settings } = deps;
  const workflows = new Map(deps.workflows.map((workflow) => [workflow.name, workflow]));
  return {
    ...deps,
    workflows,
    running: new Map(),
    settled: createRecent(REMEMBERED_SETTLED),
    waitingRecords: createRecent(REMEMBERED_WAITING),
    // J11: jobs from rows have a second queue, so that retries and new events do not crowd each other out.
    slots: new Slots((workflow) => workflows.get(workflow)?.concurrency ?? 1, { isSecond: (run) => run.isFromRow }),
    pauses: new KnownPauses(deps),
    circuits: new Circuits({ clock, random }),
    resourceSlots: new Slots(() => 1, { isBefore: isNewerRun }),
    company: new Company({ clock, isLong: (run) => isLong(run.job.workflow, settings) }),
    changeQueue: createChangeQueue(),
    shutdown: { isStopping: false, isAborting: false, onAbort: new Map() },
  };
}
