import { loggableFieldsOf } from '../handler/job.js';
import type { Span } from '../telemetry/telemetry.js';
import { LAPSE_MARGIN_MS } from './decide.js';
import { runJob } from './job.js';
import { JobRun, type NewJob, runKeyOf } from './job-run.js';
import { MultiJobRows } from './multi-job-rows.js';
import type { RunResult } from './outcome.js';
import { Post } from './post.js';
import { countJob, logNotWritten, spanOutcomeOf } from './record-metrics.js';
import { isLong, type Shared } from './shared.js';

/** A POST and the runs of its jobs. Some of the runs may have been started by an earlier POST. */
export type Delivery = {
  readonly post: Post;
  readonly span: Span | undefined;
  readonly runs: JobRun[];
  /** Set if a row of several jobs brings the jobs: they take turns with those of new deliveries (J11). */
  readonly isFromRow?: boolean;
};

/** Runs the jobs that deliveries bring. J1: each job is settled or has a row before its POST is acknowledged. */
export class DeliveredJobs {
  readonly rows: MultiJobRows;
  readonly #shared: Shared;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.rows = new MultiJobRows(shared, (jobs) => this.#startFromRow(jobs));
  }

  /** Returns a delivery without jobs, whose time runs from now on. */
  createDelivery(from: Pick<Delivery, 'span' | 'isFromRow'>): Delivery {
    const { clock, settings } = this.#shared;
    const { deadlineMs } = settings;
    const delivery: Delivery = {
      ...from,
      post: new Post({ clock, deadlineMs, onDeadline: () => this.#meetDeadline(delivery) }),
      runs: [],
    };
    return delivery;
  }

  /** Starts a job, joins its run if this process runs it already, or does nothing if it is known to be settled. */
  start(job: NewJob, delivery: Delivery): void {
    const { running, settled } = this.#shared;
    const key = runKeyOf(job);
    const earlier = running.get(key);
    if (settled.get(key)) countJob(job, 'duplicate', this.#shared);
    else if (earlier) this.#join(earlier, delivery);
    else this.#run(job, delivery);
  }

  /** Starts the jobs of a row of several jobs. Resolves when each job is safe. */
  async #startFromRow(jobs: readonly NewJob[]): Promise<void> {
    const delivery = this.createDelivery({ span: undefined, isFromRow: true });
    for (const job of jobs) this.start(job, delivery);
    await delivery.post.answer();
  }

  #run(job: NewJob, delivery: Delivery): void {
    const { running, settings, shutdown } = this.#shared;
    const span = delivery.span?.child('job', loggableFieldsOf(job));
    const run = new JobRun(job, { span, isFromRow: delivery.isFromRow });
    running.set(run.key, run);
    this.#attach(run, delivery);
    if (isLong(job.workflow, settings) || shutdown.isStopping) {
      span?.end({ outcome: 'put-off' });
      run.whenEnded = this.#defer(run, 0).finally(() => running.delete(run.key));
    } else run.whenEnded = runJob(run, this.#shared).then((recorded) => this.#finish(run, recorded));
  }

  /** Queued jobs get a row that is due now. Jobs at work continue; a row checks them after their lease. */
  #meetDeadline({ runs }: Delivery): void {
    const { leaseMs } = this.#shared.settings;
    for (const run of runs) {
      if (run.safety.isSafe) run.safety.answerSafe();
      else if (run.isQueued) run.leaveQueue();
      else void this.#defer(run, leaseMs + LAPSE_MARGIN_MS);
    }
  }

  #join(run: JobRun, delivery: Delivery): void {
    countJob(run.job, 'shared', this.#shared);
    if (run.row || run.safety.isSafe) return; // the job is safe: it has a row until it is settled
    this.#attach(run, delivery);
  }

  /** Lets the delivery wait until the job of `run` is safe. */
  #attach(run: JobRun, { post, runs }: Delivery): void {
    post.addOpen();
    runs.push(run);
    run.safety.awaitedBy(post);
  }

  async #finish(run: JobRun, recorded: RunResult): Promise<void> {
    const { running, settled } = this.#shared;
    run.span?.end({ outcome: spanOutcomeOf(recorded) });
    if (recorded.kind === 'settled') settled.set(run.key, true);
    if (recorded.kind === 'unknown') logNotWritten(run, recorded.error, this.#shared);
    if (run.safety.isSafe || recorded.kind === 'settled' || recorded.kind === 'waiting') run.safety.answerSafe();
    // J1: also a job that another holder runs gets a row.
    else if (recorded.kind === 'deferred') await this.#defer(run, recorded.inMs);
    else run.safety.fail(recorded.error);
    running.delete(run.key);
  }

  /** Writes a row that brings the job again, unless it has a row: then the job is safe, however this run ends. */
  #defer(run: JobRun, inMs: number): Promise<void> {
    return run.safety.deferBy(() => this.#writeRow(run, inMs));
  }

  async #writeRow(run: JobRun, inMs: number): Promise<void> {
    try {
      await this.rows.add(run.job, inMs);
      countJob(run.job, 'put-off', this.#shared);
    } catch (error) {
      logNotWritten(run, error, this.#shared);
      throw error;
    }
  }
}
