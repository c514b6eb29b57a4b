import { type Job, loggableFieldsOf } from '../handler/job.js';
import type { Span } from '../telemetry/telemetry.js';
import { LAPSE_MARGIN_MS } from './decide.js';
import { runJob } from './job.js';
import { JobRun, runKeyOf } from './job-run.js';
import { MultiJobRows } from './multi-job-rows.js';
import type { RunResult } from './outcome.js';
import { Post } from './post.js';
import { logNotWritten, recordJob, spanOutcomeOf } from './record-metrics.js';
import { isLong, type Shared } from './shared.js';

/** A POST with the runs of its jobs, those that it shares with an earlier POST included. */
export type Delivery = {
  readonly post: Post;
  readonly span: Span | undefined;
  readonly runs: JobRun[];
  /** Its jobs come from a row: they take turns with those of new deliveries (J11). */
  readonly isAgain?: boolean;
};

/** Jobs that a delivery brings. J1: each is settled or has a row before its POST is acknowledged. */
export class DeliveredJobs {
  readonly rows: MultiJobRows;
  readonly #shared: Shared;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.rows = new MultiJobRows(shared, (jobs) => this.#startAgain(jobs));
  }

  start(job: Omit<Job, 'eventKey'>, delivery: Delivery): void {
    const { running, settled } = this.#shared;
    const key = runKeyOf(job);
    const earlier = running.get(key);
    if (settled.get(key)) recordJob(job, 'duplicate', this.#shared);
    else if (earlier) this.#share(earlier, delivery);
    else this.#run(job, delivery);
  }

  /** Starts jobs that a row has kept. Resolves when each is safe. */
  async #startAgain(jobs: readonly Omit<Job, 'eventKey'>[]): Promise<void> {
    const { clock, settings } = this.#shared;
    const { deadlineMs } = settings;
    const post = new Post({ clock, deadlineMs, onDeadline: () => this.meetDeadline(delivery) });
    const delivery: Delivery = { post, span: undefined, runs: [], isAgain: true };
    for (const job of jobs) this.start(job, delivery);
    await post.answer();
  }

  #run(job: Omit<Job, 'eventKey'>, delivery: Delivery): void {
    const { running, settings, shutdown } = this.#shared;
    const span = delivery.span?.child('job', loggableFieldsOf(job));
    const run = new JobRun(job, { span, isAgain: delivery.isAgain });
    running.set(run.key, run);
    this.#await(run, delivery);
    if (isLong(job.workflow, settings) || shutdown.isStopping) {
      span?.end({ outcome: 'put-off' });
      run.whenEnded = this.#defer(run, 0).finally(() => running.delete(run.key));
    } else run.whenEnded = runJob(run, this.#shared).then((recorded) => this.#finish(run, recorded));
  }

  /** Queued jobs get a row that is due now. Jobs at work go on, and a row that is due after their lease checks them. */
  meetDeadline({ runs }: Delivery): void {
    const { leaseMs } = this.#shared.settings;
    for (const run of runs) {
      if (run.safety.isSafe) run.safety.setSafeAndAnswer();
      else if (run.isQueued) run.leaveQueue();
      else void this.#defer(run, leaseMs + LAPSE_MARGIN_MS);
    }
  }

  #share(run: JobRun, delivery: Delivery): void {
    recordJob(run.job, 'shared', this.#shared);
    if (run.row || run.safety.isSafe) return; // its row is there until the job is settled
    this.#await(run, delivery);
  }

  #await(run: JobRun, { post, runs }: Delivery): void {
    post.open();
    runs.push(run);
    run.safety.awaitedBy(post);
  }

  async #finish(run: JobRun, recorded: RunResult): Promise<void> {
    const { running, settled } = this.#shared;
    run.span?.end({ outcome: spanOutcomeOf(recorded) });
    if (recorded.kind === 'settled') settled.set(run.key, true);
    if (recorded.kind === 'unknown') logNotWritten(run, recorded.error, this.#shared);
    if (run.safety.isSafe || recorded.kind === 'settled' || recorded.kind === 'waiting') run.safety.setSafeAndAnswer();
    else if (recorded.kind === 'deferred')
      await this.#defer(run, recorded.inMs); // J1
    else run.safety.fail(recorded.error);
    running.delete(run.key);
  }

  /** Writes a row that brings the job again, so that the job is safe whatever becomes of this run. One row is enough. */
  #defer(run: JobRun, inMs: number): Promise<void> {
    return run.safety.deferBy(() => this.#writeRow(run, inMs));
  }

  async #writeRow(run: JobRun, inMs: number): Promise<void> {
    try {
      await this.rows.add(run.job, inMs);
      recordJob(run.job, 'put-off', this.#shared);
    } catch (error) {
      logNotWritten(run, error, this.#shared);
      throw error;
    }
  }
}
