import type { Job } from '../handler/job.js';
import { type Address, ledgerPlaceOf } from '../storage/address.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Span } from '../telemetry/telemetry.js';
import type { Post } from './post.js';

/** `isAgain`: a row of several jobs brings the job, as a delivery (J15). */
type From = { row?: WaitingRow; span?: Span | undefined; isAgain?: boolean | undefined };

/**
 * One passage of a job through this process.
 *
 *   queued    waits for a slot and holds no lease       it gets the slot, or `leaveQueue` takes it out
 *   at work   has its slots, or asks for the next       its outcome is recorded, or unknown
 *   ended     `whenEnded` has resolved
 */
export class JobRun {
  /**
   * The same for each delivery and row of one event for one workflow (Q4): another incarnation of the change has an event
   * with another id.
   */
  readonly key: string;
  /** The row that brought the job alone; undefined for a delivery. */
  readonly row: WaitingRow | undefined;
  /** Of the trace of the delivery or of the page of rows; undefined if the trace is not sampled. */
  readonly span: Span | undefined;
  /** J11: such runs wait in the second queue of a slot. */
  readonly isFromRow: boolean;
  readonly safety = new Safety();
  /** Resolves when this process is done with the job; undefined until the job is queued. */
  whenEnded: Promise<void> | undefined;
  /** How long the handler ran; undefined if no handler has run. */
  handlerMs: number | undefined;
  #leaveQueue: (() => void) | undefined;
  #job: Job;

  constructor(job: Omit<Job, 'eventKey'>, { row, span, isAgain = false }: From = {}) {
    this.key = runKeyOf(job);
    this.#job = at(job.address, job);
    this.row = row;
    this.span = span;
    this.isFromRow = isAgain || row !== undefined;
  }

  get job(): Job {
    return this.#job;
  }

  /** The record of the job is at another place than was assumed (Q2). */
  moveTo(address: Address): void {
    this.#job = at(address, this.#job);
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

/** Returns the key of the runs of a job: its first address, and the event's id. */
export function runKeyOf({ address, eventIdDigest }: Pick<Job, 'address' | 'eventIdDigest'>): string {
  return `${eventIdDigest}.${address.replace(/\.\d+$/, '')}`;
}

function at(address: Address, job: Omit<Job, 'eventKey'>): Job {
  return { ...job, address, eventKey: ledgerPlaceOf(address).eventKey };
}

/**
 * J1: deliveries wait until their job is safe: settled, or with a row. From then on nothing can lose the job.
 *
 *   open        no row, not settled; at most one row is being written    the row or record is written, or fails
 *   safe        for good
 */
class Safety {
  #isSafe = false;
  #posts: Pick<Post, 'safe' | 'unsafe'>[] = [];
  #deferring: Promise<void> | undefined;

  get isSafe(): boolean {
    return this.#isSafe;
  }

  /** `post` is answered when the job is safe. */
  awaitedBy(post: Pick<Post, 'safe' | 'unsafe'>): void {
    this.#posts.push(post);
  }

  /**
   * The job is safe, but its run goes on: deliveries get their answer by `setSafeAndAnswer`, at the end or at the
   * deadline.
   */
  setSafe(): void {
    this.#isSafe = true;
  }

  /** The job is safe, and the deliveries get their answer. */
  setSafeAndAnswer(): void {
    this.#isSafe = true;
    for (const post of this.#posts.splice(0)) post.safe();
  }

  /** The deliveries fail: whether the job is safe is unknown. */
  fail(error: unknown): void {
    for (const post of this.#posts.splice(0)) post.unsafe(error);
  }

  /** Writes a row by `write`, unless one is there or being written. After a failure the next delivery may try again. */
  deferBy(write: () => Promise<void>): Promise<void> {
    if (this.#isSafe) return Promise.resolve();
    this.#deferring ??= write().then(
      () => this.setSafeAndAnswer(),
      (error: unknown) => {
        this.#deferring = undefined;
        this.fail(error);
      },
    );
    return this.#deferring;
  }
}
