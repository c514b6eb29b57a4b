import type { Job } from '../handler/job.js';
import { type Address, ledgerPlaceOf } from '../storage/address.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Span } from '../telemetry/telemetry.js';
import type { Post } from './post.js';

/** A job as a delivery or a row brings it. Its run adds the key of its event, which follows from the address. */
export type NewJob = Omit<Job, 'eventKey'>;

/** `isFromRow` is set for a row of several jobs, which brings its jobs as a delivery does (J15). */
type RunOptions = { row?: WaitingRow; span?: Span | undefined; isFromRow?: boolean | undefined };

/**
 * One passage of a job through this process.
 *
 *   state     what holds                               ends when
 *   queued    the run waits for a slot, has no lease   it gets the slot, or `leaveQueue` takes it out
 *   at work   the run has slots, or asks for the next  its outcome is recorded, or stays unknown
 *   ended     `whenEnded` has resolved                 never
 */
export class JobRun {
  /** Q4: the same for each delivery and row of one event for one workflow; another for each incarnation. */
  readonly key: string;
  /** The row that brought the job alone; undefined for a delivery. */
  readonly row: WaitingRow | undefined;
  /** A span of the delivery's or of the rows' trace; undefined if the trace is not sampled. */
  readonly span: Span | undefined;
  /** J11: whether the run waits in the second queue of a slot. */
  readonly isFromRow: boolean;
  readonly safety = new Safety();
  /** Resolves when this process is done with the job; undefined until the job is queued. */
  whenEnded: Promise<void> | undefined;
  /** How long the handler ran; undefined if no handler has run. */
  handlerMs: number | undefined;
  #leaveQueue: (() => void) | undefined;
  #job: Job;

  constructor(job: NewJob, { row, span, isFromRow = row !== undefined }: RunOptions = {}) {
    this.key = runKeyOf(job);
    this.#job = withEventKey(job);
    this.row = row;
    this.span = span;
    this.isFromRow = isFromRow;
  }

  get job(): Job {
    return this.#job;
  }

  /** Changes the job's address: the job's record is not where it was assumed to be (Q2). */
  moveTo(address: Address): void {
    this.#job = withEventKey({ ...this.#job, address });
  }

  /** Waits for `slot`, in a queue. `leaveQueue` then calls `leave`, which resolves `slot` without a slot. */
  async queueFor<T>(slot: Promise<T>, leave: () => void): Promise<T> {
    this.#leaveQueue = leave;
    const got = await slot;
    this.#leaveQueue = undefined;
    return got;
  }

  get isQueued(): boolean {
    return this.#leaveQueue !== undefined;
  }

  /** Takes the run out of its queue. Nothing happens if it is not queued. */
  leaveQueue(): void {
    this.#leaveQueue?.();
  }
}

/** Returns the key of the runs of a job: the event's id, and the job's address without the number (Q1). */
export function runKeyOf({ address, eventIdDigest }: Pick<Job, 'address' | 'eventIdDigest'>): string {
  return `${eventIdDigest}.${address.replace(/\.\d+$/, '')}`;
}

function withEventKey(job: NewJob): Job {
  return { ...job, eventKey: ledgerPlaceOf(job.address).eventKey };
}

/**
 * Whether a job is safe: settled, or with a row. From then on nothing can lose the job. J1: deliveries wait for it.
 *
 *   state   what holds                                                 ends when
 *   open    no row, not settled; at most one row is being written      the row or the record is written
 *   safe    the job has a row or is settled                            never
 */
class Safety {
  #isSafe = false;
  #posts: Pick<Post, 'safe' | 'unsafe'>[] = [];
  #deferring: Promise<void> | undefined;

  get isSafe(): boolean {
    return this.#isSafe;
  }

  /** Lets `post` wait until the job is safe. */
  awaitedBy(post: Pick<Post, 'safe' | 'unsafe'>): void {
    this.#posts.push(post);
  }

  /** Notes that the job is safe while its run continues. Deliveries get their answer at its end or at the deadline. */
  setSafe(): void {
    this.#isSafe = true;
  }

  /** Notes that the job is safe, and answers the deliveries. */
  answerSafe(): void {
    this.#isSafe = true;
    for (const post of this.#posts.splice(0)) post.safe();
  }

  /** Fails the deliveries, because it is unknown whether the job is safe. */
  fail(error: unknown): void {
    for (const post of this.#posts.splice(0)) post.unsafe(error);
  }

  /** Writes a row by `write`, unless the job has a row or gets one. After a failure the next delivery may try again. */
  deferBy(write: () => Promise<void>): Promise<void> {
    if (this.#isSafe) return Promise.resolve();
    this.#deferring ??= write().then(
      () => this.answerSafe(),
      (error: unknown) => {
        this.#deferring = undefined;
        this.fail(error);
      },
    );
    return this.#deferring;
  }
}
