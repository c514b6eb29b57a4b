import { endsWithin } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { parseEvent } from '../events/parse.js';
import type { Job } from '../handler/job.js';
import { JOBS_SHARD, type MultiJobRow, singleJobRowsOf, splitIntoRows } from '../storage/waiting.js';
import type { NewJob } from './job-run.js';
import { isLong, rowOf, type Shared } from './shared.js';

/** The time after which a row in hand is due again, if its process has died. Longer than a POST may take. */
const IN_HAND_MS = 60_000;
/** The wait for free slots, if no row could be taken. */
const SLOTS_LOOK_MS = 250;
/** The time for which a due row waits for slots. Then its due time moves, so that other rows come to the first page. */
const MAX_OVERDUE_MS = 30_000;
/** The time limit of a run over due rows, less than `functionTimeout`. The next look continues. */
const MAX_RUN_MS = 5 * 60_000;

/** A job that waits for the end of the turn, to share a row. */
type Gathered = Job & {
  readonly inMs: number;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
};

/**
 * J15: jobs of one workflow that get a row in the same turn of the event loop share rows. So under an overload one
 * entity holds more than a hundred jobs of usual size. Such a row is a delivery that storage keeps: its jobs run like
 * those of a POST, and it is deleted when each of them is safe (J1).
 *
 *   state     what holds                                              ends when
 *   due       any process may take the row                            a process moves its due time by a minute
 *   in hand   its jobs run; jobs that miss the deadline get rows      each job is settled or has a row: it is deleted
 */
export class MultiJobRows {
  readonly #shared: Shared;
  readonly #start: (jobs: readonly NewJob[]) => Promise<void>;
  #gathered: Gathered[] = [];
  #running: Promise<void> | undefined;
  /** The number of jobs, by workflow, in rows that are being taken. These jobs do not queue for slots yet. */
  readonly #taking = new Map<string, number>();
  #hasFailed = false;

  /** @param start starts jobs, and resolves when each is safe */
  constructor(shared: Shared, start: (jobs: readonly NewJob[]) => Promise<void>) {
    this.#shared = shared;
    this.#start = start;
  }

  /** Adds the job to a row that is due in `inMs`. Resolves when the row is written. */
  add(job: Job, inMs: number): Promise<void> {
    return new Promise((written, failed) => {
      if (this.#gathered.push({ ...job, inMs, written, failed }) > 1) return;
      this.#shared.clock.endOfTurn(() => this.#writeGathered());
    });
  }

  /** Runs the rows that are due, until none is left. Never throws. */
  run(): Promise<void> {
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #writeGathered(): void {
    const { settings } = this.#shared;
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const group of Map.groupBy(gathered, ({ inMs, workflowName }) => `${inMs} ${workflowName}`).values()) {
      // Long jobs share no rows, because another queue runs their rows.
      const parts = isLong(group[0]?.workflow, settings) ? group.map((job) => [job]) : splitIntoRows(group);
      for (const part of parts) void this.#write(part);
    }
  }

  async #write(jobs: readonly Gathered[]): Promise<void> {
    const { clock, settings, shutdown, stores } = this.#shared;
    const [job] = jobs as readonly [Gathered];
    const { inMs } = job;
    try {
      // A row may be the first call of a process to storage, so its due time comes from storage's clock.
      const dueAt = new Date((await stores.storageNow()).getTime() + inMs);
      const untilMs = clock.monotonic() + settings.deadlineMs;
      if (jobs.length === 1) await stores.waiting.add(rowOf(job, dueAt, settings), untilMs);
      else await stores.waiting.addJobs(jobs, { dueAt, untilMs });
      for (const { written } of jobs) written();
    } catch (error) {
      for (const { failed } of jobs) failed(error);
      return;
    }
    // This process will soon have slots for the jobs. If it dies, the next look finds their row.
    if (jobs.length > 1 && inMs === 0 && !shutdown.isStopping) void this.run();
  }

  async #runAll(): Promise<void> {
    const { clock, shutdown, stores, telemetry } = this.#shared;
    const untilMs = clock.monotonic() + MAX_RUN_MS;
    const runs = new Set<Promise<void>>();
    let rows: MultiJobRow[] = [];
    this.#hasFailed = false;
    try {
      while (!shutdown.isStopping && !this.#hasFailed && clock.monotonic() < untilMs) {
        // The millisecond more finds rows that are due at this very moment.
        if (rows.length === 0) ({ rows } = await stores.waiting.dueJobs(new Date(clock.now().getTime() + 1)));
        if (rows.length === 0 && runs.size === 0) break;
        const mustWait = await Promise.all(rows.map((row) => this.#take(row, runs)));
        if (!mustWait.includes(false)) await endsWithin(Promise.race(runs), SLOTS_LOOK_MS, clock);
        rows = rows.filter((_, i) => mustWait[i]);
      }
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard: JOBS_SHARD, errorCode: errorCodeOf(error) });
    }
    await Promise.all(runs);
  }

  // J15:
  //   process dies before the move     the row is still due: the next look finds it
  //   process dies after the move      the row is due again in a minute; its jobs are found as a redelivery finds them
  //   two processes at once            storage refuses one move
  /** Runs the row, unless another process has taken it. Returns true if it must wait for slots of its workflow. */
  async #take(row: MultiJobRow, runs: Set<Promise<void>>): Promise<boolean> {
    const { clock, slots, stores, workflows } = this.#shared;
    const { workflow, jobs } = row;
    const nowMs = clock.now().getTime();
    const taking = this.#taking.get(workflow) ?? 0;
    if (taking + slots.secondQueueLength(workflow) >= (workflows.get(workflow)?.concurrency ?? 1)) {
      if (nowMs < row.dueAt.getTime() + MAX_OVERDUE_MS) return true;
      await stores.waiting.moveJobs(row, new Date(nowMs));
      return false;
    }
    this.#taking.set(workflow, taking + jobs.length);
    try {
      const taken = await stores.waiting.moveJobs(row, new Date(nowMs + IN_HAND_MS));
      if (!taken) return false;
      const run: Promise<void> = this.#run(taken, await this.#parse(taken)).finally(() => runs.delete(run));
      runs.add(run);
      return false;
    } finally {
      this.#taking.set(workflow, (this.#taking.get(workflow) ?? 0) - jobs.length);
    }
  }

  async #run(row: MultiJobRow, jobs: readonly NewJob[]): Promise<void> {
    const { stores, telemetry } = this.#shared;
    try {
      await this.#start(jobs);
      telemetry.count('rowsRun', row.jobs.length);
      await stores.waiting.delete(row);
    } catch (error) {
      this.#hasFailed = true; // storage is down: the next look continues
      telemetry.log('error', 'row-failed', { shard: JOBS_SHARD, errorCode: errorCodeOf(error) });
    }
  }

  /** Returns the jobs of a row. A job whose event is invalid to this version gets a row of its own; see due-rows.ts. */
  async #parse(row: MultiJobRow): Promise<NewJob[]> {
    const { clock, settings, stores, workflows } = this.#shared;
    const { workflow: workflowName } = row;
    const jobs: NewJob[] = [];
    for (const single of singleJobRowsOf(row)) {
      const { address, eventIdDigest } = single.item;
      try {
        const event = parseEvent(JSON.parse(single.event));
        const workflow = workflows.get(workflowName);
        jobs.push({ address, eventIdDigest, event, json: single.event, workflow, workflowName });
      } catch (error) {
        if (!(error instanceof InvalidEventError)) throw error;
        await stores.waiting.add({ ...single, dueAt: clock.now() }, clock.monotonic() + settings.deadlineMs);
      }
    }
    return jobs;
  }
}
