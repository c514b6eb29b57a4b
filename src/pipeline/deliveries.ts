import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { isTooLarge } from '../events/size.js';
import { addressOf } from '../storage/address.js';
import { type Workflow, wants } from '../workflow.js';
import { errorCodeOf, LAPSE_MARGIN_MS } from './decide.js';
import type { WriteInvalid } from './invalid-events.js';
import { runJob } from './job.js';
import { createPost, type Post } from './post.js';
import { type Ending, fieldsOf, isLong, newRun, type Run, type Settings, type Shared } from './run.js';

/**
 * The event that is to be processed.
 * @throws InvalidEventError where there is none, or it is none that is wanted here.
 */
function takeEvent(raw: unknown, json: string, { workspaces }: Pick<Settings, 'workspaces'>): HealthEvent {
  if (isTooLarge(json)) throw new InvalidEventError('too-large', [{ path: '(event)', code: 'too-large' }]);
  const event = parseEvent(raw);
  if (workspaces && !workspaces.includes(event.source.toLowerCase())) {
    throw new InvalidEventError('workspace-not-listed', [{ path: 'source', code: 'not-listed' }]);
  }
  return event;
}

/** Whether a delivery of it makes jobs, and no dead letter of an invalid event. */
export function isTakenIn(raw: unknown, json: string, settings: Pick<Settings, 'workspaces'>): boolean {
  try {
    takeEvent(raw, json, settings);
    return true;
  } catch (error) {
    if (error instanceof InvalidEventError) return false;
    throw error;
  }
}

/** Takes a whole POST, and resolves when every event in it is safe; throws NotSafeError. */
export type Deliver = (events: readonly unknown[]) => Promise<void>;

/** How many kinds of event are remembered with who wants them: resource types are an open set. */
const MOST_KINDS = 1000;

export function createDeliver(shared: Shared, writeInvalid: WriteInvalid): Deliver {
  const { clock, stores, settings, telemetry, workflows, running, settled, life } = shared;
  const wanting = new Map<string, readonly Workflow[]>();

  return async (events) => {
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
      telemetry.log('error', 'event-not-safe', { errorCode: errorCodeOf(error), count: events.length });
      throw error;
    }
  };

  // ---- an event becomes jobs

  function accept(raw: unknown, post: Post): void {
    const json = JSON.stringify(raw) ?? 'null';
    let event: HealthEvent;
    try {
      event = takeEvent(raw, json, settings);
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
        newRun({ address, event, json, workflow, workflowName: workflow.name }, key, undefined),
        workflow,
        post,
      );
    }
  }

  function workflowsFor(event: HealthEvent): readonly Workflow[] {
    const kind = event.service === 'fhir' ? `${event.change} ${event.resourceType}` : `${event.change}`;
    let found = wanting.get(kind);
    if (!found) {
      found = [...workflows.values()].filter((workflow) => wants(workflow, event));
      if (wanting.size < MOST_KINDS) wanting.set(kind, found);
    }
    return found;
  }

  // ---- a job that a delivery brings

  function deliverJob(run: Run, workflow: Workflow, post: Post): void {
    if (settled.get(run.address)) {
      telemetry.count('jobsDuplicate');
      return;
    }
    const there = running.get(run.address);
    if (there) {
      telemetry.count('jobsShared');
      if (there.row || there.isSafe) return; // its row is there until it is settled
      post.open();
      post.runs.push(there);
      there.posts.push(post);
      return;
    }
    running.set(run.address, run);
    post.open();
    post.runs.push(run);
    run.posts.push(post);
    if (isLong(workflow, settings) || life.isStopping) {
      run.ended = putOff(run, 0).finally(() => running.delete(run.address));
      return;
    }
    run.ended = runJob(run, shared).then((ending) => afterDelivery(run, ending));
  }

  async function afterDelivery(run: Run, ending: Ending): Promise<void> {
    switch (ending.kind) {
      case 'settled':
        settled.set(run.address, true);
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

  /** Who stands in line leaves it, and gets a row that is due at once; who runs goes on, and a row looks at it after its lease, if there is none yet. */
  function meetDeadline(run: Run): void {
    if (run.isSafe) tellSafe(run);
    else if (run.leaveLine) run.leaveLine();
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
}
