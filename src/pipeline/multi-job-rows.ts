import { sleep } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { parseEvent } from '../events/parse.js';
import type { Job } from '../handler/job.js';
import { JOBS_SHARD, type MultiJobRow, singleJobRowsOf, splitIntoRows } from '../storage/waiting.js';
import { isLong, rowOf, type Shared } from './shared.js';

/** A row that was taken comes again then: longer than a POST may take. */
const TAKEN_MS = 60_000;
/** Slots for the next row may be free. */
const LOOK_AGAIN_MS = 250;
/** A due row that its workflow has no slots for goes to the end of the line, so that rows of others come to its head. */
const AT_HEAD_MS = 30_000;
/** Less than `functionTimeout`: the next look goes on. */
const RUN_FOR_MS = 5 * 60_000;

type NewJob = Omit<Job, 'eventKey'>;
type Gathered = Job & {
  readonly inMs: number;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
};

/**
 * J15: jobs of one workflow that get a row in the same turn of the event loop share rows, so that an overload costs storage
 * an entity for up to 168 jobs. Such a row is a delivery that storage keeps: its jobs come as those of a POST, and it is
 * deleted when each of them is safe (J1).
 *
 *   due           it is found, and moved to a due time in a minute: no other process runs it meanwhile
 *   in hand       its jobs run; those that are not done by the deadline get rows again
 *   deleted       each job is settled or has a row
 */
export class MultiJobRows {
  readonly #shared: Shared;
  readonly #start: (jobs: readonly NewJob[]) => Promise<void>;
  #gathered: Gathered[] = [];
  #running: Promise<void> | undefined;
  /** By workflow: jobs of rows that are being taken. They do not queue for slots yet. */
  readonly #taking = new Map<string, number>();
  #hasFailed = false;

  /** @param start starts jobs, and resolves when each is safe */
  constructor(shared: Shared, start: (jobs: readonly NewJob[]) => Promise<void>) {
    this.#shared = shared;
    this.#start = start;
  }

  /** Resolves when a row that is due in `inMs` has the job. */
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
    const groups = Object.groupBy(gathered, ({ inMs, workflowName }) => `${inMs} ${workflowName}`);
    for (const group of Object.values(groups)) {
      // Rows of long jobs are for another queue.
      const lots = isLong(group?.[0]?.workflow, settings) ? group?.map((one) => [one]) : splitIntoRows(group ?? []);
      for (const lot of lots ?? []) void this.#write(lot);
    }
  }

  async #write(lot: readonly Gathered[]): Promise<void> {
    const { clock, settings, shutdown, stores } = this.#shared;
    const [job] = lot as readonly [Gathered];
    const { inMs } = job;
    try {
      // A row may be the first call of a process to storage: its due time must not rest on this machine's clock.
      const dueAt = new Date((await stores.storageNow()).getTime() + inMs);
      const untilMs = clock.monotonic() + settings.deadlineMs;
      if (lot.length === 1) await stores.waiting.add(rowOf(job, dueAt, settings), untilMs);
      else await stores.waiting.addJobs(lot, { dueAt, untilMs });
      for (const { written } of lot) written();
    } catch (error) {
      for (const { failed } of lot) failed(error);
      return;
    }
    // This process has slots for them soon. If it dies, the next look finds them.
    if (lot.length > 1 && inMs === 0 && !shutdown.isStopping) void this.run();
  }

  async #runAll(): Promise<void> {
    const { clock, shutdown, stores, telemetry } = this.#shared;
    const untilMs = clock.monotonic() + RUN_FOR_MS;
    const runs = new Set<Promise<void>>();
    let rows: MultiJobRow[] = [];
    this.#hasFailed = false;
    try {
      while (!shutdown.isStopping && !this.#hasFailed && clock.monotonic() < untilMs) {
        if (rows.length === 0) ({ rows } = await stores.waiting.dueJobs(new Date(clock.now().getTime() + 1)));
        if (rows.length === 0 && runs.size === 0) break;
        const isTaken = await Promise.all(rows.map((row) => this.#take(row, runs)));
        if (!isTaken.includes(true)) await this.#untilNext(runs);
        rows = rows.filter((_, i) => !isTaken[i]);
      }
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard: JOBS_SHARD, errorCode: errorCodeOf(error) });
    }
    await Promise.all(runs);
  }

  // Running (J15)      dies before the move: the row comes again at once; after it, or before the row is deleted: in a
  //                    minute, and each job is found as a redelivery finds it. Two at once: one move is refused.
  /** Returns false if the row stays where it is, because enough jobs of its workflow queue for slots. */
  async #take(row: MultiJobRow, runs: Set<Promise<void>>): Promise<boolean> {
    const { clock, slots, stores, workflows } = this.#shared;
    const { workflow, jobs } = row;
    const nowMs = clock.now().getTime();
    const taking = this.#taking.get(workflow) ?? 0;
    if (taking + slots.secondsQueued(workflow) >= (workflows.get(workflow)?.concurrency ?? 1)) {
      if (nowMs < row.dueAt.getTime() + AT_HEAD_MS) return false;
      await stores.waiting.moveJobs(row, new Date(nowMs));
      return true;
    }
    this.#taking.set(workflow, taking + jobs.length);
    try {
      const taken = await stores.waiting.moveJobs(row, new Date(nowMs + TAKEN_MS));
      if (!taken) return true;
      const run: Promise<void> = this.#run(taken, await this.#parse(taken)).finally(() => runs.delete(run));
      runs.add(run);
      return true;
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
      this.#hasFailed = true; // storage is down: the next look goes on
      telemetry.log('error', 'row-failed', { shard: JOBS_SHARD, errorCode: errorCodeOf(error) });
    }
  }

  async #untilNext(runs: ReadonlySet<Promise<void>>): Promise<void> {
    const over = new AbortController();
    await Promise.race([...runs, sleep(this.#shared.clock, LOOK_AGAIN_MS, over.signal)]);
    over.abort();
  }

  /** A job whose event this version of the app cannot read gets a row of its own: due-rows.ts decides about it. */
  async #parse(row: MultiJobRow): Promise<NewJob[]> {
    const { clock, settings, stores, workflows } = this.#shared;
    const { workflow: workflowName } = row;
    const jobs: NewJob[] = [];
    for (const one of singleJobRowsOf(row)) {
      const { address, eventIdDigest } = one.item;
      try {
        const event = parseEvent(JSON.parse(one.event));
        const workflow = workflows.get(workflowName);
        jobs.push({ address, eventIdDigest, event, json: one.event, workflow, workflowName });
      } catch (error) {
        if (!(error instanceof InvalidEventError)) throw error;
        await stores.waiting.add({ ...one, dueAt: clock.now() }, clock.monotonic() + settings.deadlineMs);
      }
    }
    return jobs;
  }
}
