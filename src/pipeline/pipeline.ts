import { type Clock, type Random, sleep } from '../clock.js';
import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { dayOf, keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { isTooLarge } from '../events/size.js';
import { toIsoUtc } from '../events/time.js';
import { type Address, addressOf, placeOf } from '../storage/address.js';
import { FAILING_STAGES } from '../storage/ledger.js';
import type { QueueStore } from '../storage/queue-store.js';
import { StorageError } from '../storage/table-store.js';
import { LONG_SHARD_NAMES, SHARD_NAMES, type WaitingRow } from '../storage/waiting.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type Workflow, wants } from '../workflow.js';
import { errorCodeOf, LAPSE_MARGIN_MS } from './decide.js';
import { runJob } from './job.js';
import { isNewerRun } from './places.js';
import { createPost, type Post } from './post.js';
import { type Ending, fieldsOf, isLong, type JobDeps, type Run, type Settings, type Stores } from './run.js';
import { createSettledMemory } from './settled-memory.js';
import { createSlots } from './slots.js';

export type Pipeline = {
  /**
   * Takes a whole POST of Event Grid's, and resolves when every event in it is safe.
   * @throws NotSafeError when storage failed: nothing of the POST is acknowledged, all of it comes again.
   */
  deliver(events: readonly unknown[]): Promise<void>;
  /** Sends a message for each shard of `waiting` that has a row which is due. */
  wake(): Promise<void>;
  /** Runs a page of the rows of a shard that are due. Never throws: what fails is still there the next time. */
  redeliver(message: Wakeup): Promise<void>;
  /** No new claims; handlers may end, then are aborted; what is open goes back to waiting. Resolves within 25 s. */
  stop(): Promise<void>;
};

export type Wakeup = { shard: string; after?: string };

export type PipelineDeps = {
  clock: Clock;
  random: Random;
  workflows: readonly Workflow[];
  stores: Stores;
  queues: { due: QueueStore; dueLong: QueueStore };
  settings: Settings;
  telemetry: Telemetry;
};

const REMEMBERED_JOBS = 100_000;
/**
 * A queue with this many messages wakes everybody it can already. Its length counts messages that a dead process had
 * taken, too, which stay hidden for 10 minutes: a lower limit would let those silence the living.
 */
const SHORT_QUEUE = 1000;
const DEAD_LETTERS_AT_ONCE = 32;
/** At the end of the process. */
const HANDLERS_GET_MS = 15_000;
const ALL_WITHIN_MS = 25_000;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { clock, random, workflows, stores, queues, settings, telemetry } = deps;
  const byName = new Map(workflows.map((workflow) => [workflow.name, workflow]));
  const wanting = new Map<string, readonly Workflow[]>();
  const settled = createSettledMemory(REMEMBERED_JOBS);
  /** What this process is at. A second delivery of a job joins the first. */
  const running = new Map<Address, Run>();
  const writing = createSlots<'dead-letter'>(() => DEAD_LETTERS_AT_ONCE);
  const jobDeps: JobDeps = {
    clock,
    random,
    stores,
    settings,
    telemetry,
    slots: createSlots((workflow) => byName.get(workflow)?.concurrency ?? 1),
    turns: createSlots(() => 1, isNewerRun),
    suspects: createSlots(() => 1),
    life: { isStopping: false, suspectsInLine: 0, onAbort: new Map() },
  };
  const { life } = jobDeps;

  return { deliver, wake, redeliver, stop };

  async function deliver(events: readonly unknown[]): Promise<void> {
    telemetry.count('eventsReceived', events.length);
    const post = createPost({
      clock,
      deadlineMs: settings.deadlineMs,
      onDeadline: (late) => {
        for (const run of late.runs) meetDeadline(run);
      },
    });
    for (const raw of events) accept(raw, post);
    try {
      await post.answer();
    } catch (error) {
      telemetry.count('eventsNotSafe');
      telemetry.log('error', 'event-not-safe', {
        errorCode: errorCodeOf((error as Error).cause ?? error),
        count: events.length,
      });
      throw error;
    }
  }

  // ---- an event becomes jobs

  function accept(raw: unknown, post: Post): void {
    const json = JSON.stringify(raw) ?? 'null';
    let event: HealthEvent;
    try {
      if (isTooLarge(json)) throw new InvalidEventError('too-large', [{ path: '(event)', code: 'too-large' }]);
      event = parseEvent(raw);
      if (settings.workspaces && !settings.workspaces.includes(event.source.toLowerCase())) {
        throw new InvalidEventError('workspace-not-listed', [{ path: 'source', code: 'not-listed' }]);
      }
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      post.open();
      writeInvalid(raw, error).then(post.safe, post.unsafe);
      return;
    }
    const wanted = workflowsFor(event);
    if (wanted.length === 0) {
      telemetry.count('eventsIgnored');
      return;
    }
    const key = keyOf(event);
    for (const workflow of wanted) {
      const address = addressOf(key, workflow.name);
      deliverJob(
        { address, event, eventKey: `${key.id}.${key.rest}`, json, workflow, workflowName: workflow.name },
        post,
      );
    }
  }

  function workflowsFor(event: HealthEvent): readonly Workflow[] {
    const kind = event.service === 'fhir' ? `${event.change} ${event.resourceType}` : `${event.change}`;
    let found = wanting.get(kind);
    if (!found) {
      found = workflows.filter((workflow) => wants(workflow, event));
      if (wanting.size < 1000) wanting.set(kind, found); // resource types are an open set
    }
    return found;
  }

  async function writeInvalid(raw: unknown, error: InvalidEventError): Promise<void> {
    telemetry.count('eventsInvalid');
    telemetry.log('warn', 'event-invalid', {
      problems: error.problems.map(({ path, code }) => `${path}:${code}`).join(' '),
    });
    const place = writing.take('dead-letter', error);
    if (place !== true) await place;
    const untilMs = clock.monotonic() + settings.deadlineMs;
    try {
      for (;;) {
        try {
          return await stores.deadLetters.write({
            stage: 'invalid',
            of: { kind: 'event', day: dayOfRaw(raw) },
            reason: error.reason,
            error: { name: error.name, code: error.reason, message: error.message },
            problems: error.problems,
            tries: 0,
            deadLetteredAt: clock.now().toISOString(),
            event: raw,
          });
        } catch (failure) {
          if (!(failure instanceof StorageError) || clock.monotonic() > untilMs) throw failure;
          await sleep(clock, 500);
        }
      }
    } finally {
      writing.give('dead-letter');
    }
  }

  // ---- a job that a delivery brings

  function deliverJob(job: Job & { workflow: Workflow }, post: Post): void {
    if (settled.has(job.address)) {
      telemetry.count('jobsDuplicate');
      return;
    }
    const there = running.get(job.address);
    if (there) {
      telemetry.count('jobsShared');
      if (there.row || there.isSafe) return; // its row is there until it is settled
      post.open();
      post.runs.push(there);
      there.posts.push(post);
      return;
    }
    const run = newRun(job, undefined);
    running.set(run.address, run);
    post.open();
    post.runs.push(run);
    run.posts.push(post);
    if (isLong(job.workflow, settings) || life.isStopping) {
      run.ended = putOff(run, 0).finally(() => running.delete(run.address));
      return;
    }
    run.ended = runJob(run, jobDeps).then((ending) => afterDelivery(run, ending));
  }

  async function afterDelivery(run: Run, ending: Ending): Promise<void> {
    switch (ending.kind) {
      case 'settled':
        settled.add(run.address);
        tellSafe(run);
        break;
      case 'waiting':
        tellSafe(run);
        break;
      case 'put-off':
        if (run.isSafe) tellSafe(run);
        else await putOff(run, ending.inMs);
        break;
      case 'failed':
        telemetry.log('error', 'job-not-written', { ...fieldsOf(run), errorCode: errorCodeOf(ending.error) });
        if (run.isSafe) tellSafe(run);
        else tellUnsafe(run, ending.error);
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(ending satisfies never)}`);
    }
    running.delete(run.address);
  }

  /** Who stands in line leaves it, and gets a row that is due at once; who runs goes on, and a row looks at it after its lease. */
  function meetDeadline(run: Run): void {
    if (run.leaveLine) run.leaveLine();
    else void putOff(run, settings.leaseMs + LAPSE_MARGIN_MS);
  }

  /** Writes a row that brings the job again, so that it is safe whatever becomes of this run. One row is enough. */
  function putOff(run: Run, inMs: number): Promise<void> {
    if (run.isSafe || run.row) return Promise.resolve();
    run.puttingOff ??= writeRow(run, inMs);
    return run.puttingOff;
  }

  async function writeRow(run: Run, inMs: number): Promise<void> {
    try {
      await stores.waiting.add(
        {
          dueAt: new Date(clock.now().getTime() + inMs),
          isLong: isLong(run.workflow, settings),
          event: run.json,
          of: { kind: 'job', address: run.address },
        },
        clock.monotonic() + settings.deadlineMs,
      );
      telemetry.count('jobsPutOff');
      tellSafe(run);
    } catch (error) {
      run.puttingOff = undefined; // the next delivery that joins may try again
      telemetry.log('error', 'job-not-written', { ...fieldsOf(run), errorCode: errorCodeOf(error) });
      tellUnsafe(run, error);
    }
  }

  function tellSafe(run: Run): void {
    run.isSafe = true;
    for (const post of run.posts.splice(0)) post.safe();
  }

  function tellUnsafe(run: Run, error: unknown): void {
    for (const post of run.posts.splice(0)) post.unsafe(error);
  }

  // ---- rows that are due

  async function wake(): Promise<void> {
    for (const [queue, shards] of [
      [queues.due, SHARD_NAMES],
      [queues.dueLong, LONG_SHARD_NAMES],
    ] as const) {
      try {
        if ((await queue.length()) >= SHORT_QUEUE) continue;
        const now = clock.now();
        await Promise.all(
          shards.map(async (shard) => {
            if (await stores.waiting.isDue(shard, now)) await queue.send(JSON.stringify({ shard } satisfies Wakeup));
          }),
        );
      } catch (error) {
        telemetry.log('error', 'wake-failed', { errorCode: errorCodeOf(error) });
      }
    }
  }

  async function redeliver({ shard, after }: Wakeup): Promise<void> {
    try {
      const page = await stores.waiting.due(shard, clock.now(), after);
      if (page.next) {
        const queue = LONG_SHARD_NAMES.includes(shard) ? queues.dueLong : queues.due;
        await queue.send(JSON.stringify({ shard, after: page.next } satisfies Wakeup));
      }
      const runs: Run[] = [];
      // What has found no place by then stays a row, and comes again.
      const cancel = clock.after(settings.deadlineMs, () => {
        for (const run of runs) run.leaveLine?.();
      });
      await Promise.all(page.rows.map((row) => runRow(row, runs))).finally(cancel);
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard, errorCode: errorCodeOf(error) });
    }
  }

  async function runRow(row: WaitingRow, runs: Run[]): Promise<void> {
    try {
      if (row.of.kind === 'delivery') {
        await deliver([JSON.parse(row.event)]);
        return await stores.waiting.delete(row);
      }
      const { address, redrive } = row.of;
      if (running.has(address)) return telemetry.count('rowsLeft');
      const { workflow: workflowName } = placeOf(address);
      const event = await parseRow(row);
      if (!event) return;
      const key = keyOf(event);
      const workflow = byName.get(workflowName);
      const job = { address, event, eventKey: `${key.id}.${key.rest}`, json: row.event, workflow, workflowName };
      const run = newRun(job, row, redrive);
      runs.push(run);
      running.set(address, run);
      run.ended = runJob(run, jobDeps)
        .then((ending) => afterRow(run, row, ending))
        .finally(() => running.delete(address));
      await run.ended;
    } catch (error) {
      telemetry.log('error', 'row-failed', { shard: row.shard, errorCode: errorCodeOf(error) });
    }
  }

  /** Undefined where a corrected payload is none: then it is a dead letter of its own, beside the one it was to redrive. */
  async function parseRow(row: WaitingRow): Promise<HealthEvent | undefined> {
    const raw: unknown = JSON.parse(row.event);
    try {
      return parseEvent(raw);
    } catch (error) {
      if (!(error instanceof InvalidEventError) || row.of.kind !== 'job' || !row.of.redrive) throw error;
      await writeInvalid(raw, error);
      await stores.waiting.delete(row);
      return undefined;
    }
  }

  // Tidying            dies before it: the row comes again and finds the record as it is.
  //                    dies between the dead letters and the row: again, and the letters are moved already.
  async function afterRow(run: Run, row: WaitingRow, ending: Ending): Promise<void> {
    telemetry.count('rowsRun');
    switch (ending.kind) {
      case 'settled': {
        const { redrives, result } = ending;
        if (redrives > 0) {
          const job = { address: run.address, stages: FAILING_STAGES };
          await stores.deadLetters.resolve(job, result === 'completed' ? redrives + 1 : redrives);
        }
        settled.add(run.address);
        return await stores.waiting.delete(row);
      }
      case 'waiting':
        return await stores.waiting.delete(row);
      case 'put-off':
        return telemetry.count('rowsLeft');
      case 'failed':
        return telemetry.log('error', 'job-not-written', { ...fieldsOf(run), errorCode: errorCodeOf(ending.error) });
      default:
        throw new TypeError(`unhandled ${JSON.stringify(ending satisfies never)}`);
    }
  }

  // ---- the end

  async function stop(): Promise<void> {
    if (life.isStopping) return;
    life.isStopping = true;
    telemetry.log('info', 'stopping', { count: running.size });
    const endsAtMs = clock.monotonic() + ALL_WITHIN_MS;
    for (const run of [...running.values()]) {
      run.leaveLine?.();
      if (isLong(run.workflow, settings)) life.onAbort.get(run)?.();
    }
    const abortAtMs = clock.monotonic() + HANDLERS_GET_MS;
    while (running.size > 0 && clock.monotonic() < endsAtMs) {
      const isAborting = clock.monotonic() >= abortAtMs;
      if (isAborting) for (const abort of [...life.onAbort.values()]) abort();
      const waitMs = (isAborting ? endsAtMs : abortAtMs) - clock.monotonic();
      await withinMs(Math.max(1, waitMs), Promise.allSettled([...running.values()].map(({ ended }) => ended)));
    }
    telemetry.log('info', 'stopped', { count: running.size });
  }

  function withinMs(ms: number, ended: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      void ended.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

/** The date of an event that is none may still be readable. */
function dayOfRaw(raw: unknown): string {
  const { eventTime, time } = Object(raw) as { eventTime?: unknown; time?: unknown };
  const spelling = [eventTime, time].find((value) => typeof value === 'string');
  return dayOf(typeof spelling === 'string' ? toIsoUtc(spelling) : undefined);
}

type Job = Pick<Run, 'address' | 'event' | 'eventKey' | 'json' | 'workflow' | 'workflowName'>;

function newRun(job: Job, row: WaitingRow | undefined, redrive?: number): Run {
  const { address, event, eventKey, json, workflow, workflowName } = job;
  return {
    address,
    event,
    eventKey,
    json,
    workflow,
    workflowName,
    row,
    redrive,
    posts: [],
    isSafe: false,
    puttingOff: undefined,
    isSuspect: false,
    leaveLine: undefined,
    ended: undefined,
  };
}
