import type { Job } from '../handler/job.js';
import { placeOf } from '../storage/address.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Span } from '../telemetry/telemetry.js';
import { Safety } from './safety.js';

/**
 * One passage of a job through this process.
 *
 *   queued    waits for a slot and holds no lease       it gets the slot, or `leaveQueue` takes it out
 *   at work   has its slots, or asks for the next       its outcome is recorded, or unknown
 *   ended     `ended` has resolved
 */
export class JobRun {
  readonly job: Job;
  /** The row that brought the job; undefined for a delivery. */
  readonly row: WaitingRow | undefined;
  /** Of the trace of the delivery or of the page of rows; undefined if the trace is not sampled. */
  readonly span: Span | undefined;
  readonly safety = new Safety();
  #ended: Promise<void> | undefined;
  #leaveQueue: (() => void) | undefined;

  constructor(job: Job, row: WaitingRow | undefined, span: Span | undefined) {
    this.job = job;
    this.row = row;
    this.span = span;
  }

  /** Resolves when this process is done with the job. */
  get ended(): Promise<void> | undefined {
    return this.#ended;
  }

  /** `ended` is the work on this job, from now on. */
  start(ended: Promise<void>): void {
    this.#ended = ended;
  }

  /** Waits in a queue for `slot`. `leave` takes the run out of the queue, so that `slot` resolves without a slot. */
  async queueFor<T>(slot: Promise<T>, leave: () => void): Promise<T> {
    this.#leaveQueue = leave;
    const got = await slot;
    this.#leaveQueue = undefined;
    return got;
  }

  get isQueued(): boolean {
    return this.#leaveQueue !== undefined;
  }

  /** Takes the run out of its queue. Nothing happens if the run is in none. */
  leaveQueue(): void {
    this.#leaveQueue?.();
  }
}

/** Returns a run of a job that `row` brought, or a delivery if there is no row. */
export function newRun(job: Omit<Job, 'eventKey'>, row?: WaitingRow, span?: Span): JobRun {
  return new JobRun({ ...job, eventKey: placeOf(job.address).eventKey }, row, span);
}
