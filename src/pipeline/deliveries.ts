import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { isTooLarge } from '../events/size.js';
import { toJson } from '../json-text.js';
import { addressOf } from '../storage/address.js';
import type { InvalidEvent } from '../storage/dead-letters.js';
import { type Workflow, wants } from '../workflow.js';
import { errorCodeOf, LAPSE_MARGIN_MS } from './decide.js';
import type { WriteInvalid } from './invalid-events.js';
import { runJob } from './job.js';
import { createPost, type Post } from './post.js';
import { createRecent } from './recent.js';
import { type Ending, fieldsOf, isLong, newRun, type Run, type Settings, type Shared } from './run.js';
import { outcomeOf, tellJob } from './tell.js';

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

/** Takes a whole POST, and resolves when every event in it is safe; throws NotSafeError. `traceParent` is the invocation's. */
export type Deliver = (events: readonly unknown[], traceParent?: string) => Promise<void>;

/** How many kinds of event are remembered with who wants them: resource types are an open set. */
const MOST_KINDS = 1000;
/** Of the latest events, to see an id that comes again with other data. Other processes, and older events, are not looked at. */
const REMEMBERED_IDS = 50_000;

export function createDeliver(shared: Shared, writeInvalid: WriteInvalid): Deliver {
  const { clock, stores, settings, telemetry, workflows, running, settled, life } = shared;
  const wanting = new Map<string, readonly Workflow[]>();
  const digestOfId = createRecent<string, string>(REMEMBERED_IDS);

  return async (events, traceParent) => {
    telemetry.count('eventsReceived', events.length);
    const span = telemetry.trace('deliver', traceParent, { count: events.length });
    const post = createPost({
      clock,
      span,
      deadlineMs: settings.deadlineMs,
      onDeadline: (late) => {
        for (const run of late.runs) meetDeadline(run);
      },
    });
    const parsing = span?.child('parse');
    const invalid = new Map<string, InvalidEvent>();
    for (const raw of events) accept(raw, post, invalid);
    parsing?.end();
    for (const written of writeInvalid([...invalid.values()])) {
      post.open();
      written.then(post.safe, post.unsafe);
    }
    try {
      await post.answer();
      span?.end();
    } catch (error) {
      const errorCode = errorCodeOf(error);
      telemetry.count('eventsNotSafe');
      telemetry.record('events', events.length, { outcome: 'not-safe', type: 'unknown' });
      telemetry.log('error', 'event-not-safe', { errorCode, count: events.length });
      span?.end({ errorCode });
      throw error;
    }
  };

  // ---- an event becomes jobs

  /** An invalid event goes into `invalid`, by its text: events of the same text have the same dead letter. */
  function accept(raw: unknown, post: Post, invalid: Map<string, InvalidEvent>): void {
    const json = toJson(raw);
    if (invalid.has(json)) {
      telemetry.record('events', 1, { outcome: 'invalid', type: 'unknown' });
      return;
    }
    let event: HealthEvent;
    try {
      event = takeEvent(raw, json, settings);
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      invalid.set(json, { raw, json, error });
      return;
    }
    const wanted = workflowsFor(event);
    const { type } = event;
    if (wanted.length === 0) {
      telemetry.record('events', 1, { outcome: 'ignored', type });
      return;
    }
    telemetry.record('events', 1, { outcome: 'taken', type });
    const key = keyOf(event);
    if ((digestOfId.get(key.id) ?? key.contentDigest) !== key.contentDigest) telemetry.record('idsReused', 1, {});
    digestOfId.set(key.id, key.contentDigest);
    for (const workflow of wanted) {
      const address = addressOf(key, workflow.name);
      deliverJob(newRun({ address, event, json, workflow, workflowName: workflow.name }, undefined), workflow, post);
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
      tellJob(run, 'duplicate', shared);
      return;
    }
    const there = running.get(run.address);
    if (there) {
      tellJob(run, 'shared', shared);
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
    run.span = post.span?.child('job', fieldsOf(run));
    if (isLong(workflow, settings) || life.isStopping) {
      run.span?.end({ outcome: 'put-off' });
      run.ended = putOff(run, 0).finally(() => running.delete(run.address));
      return;
    }
    run.ended = runJob(run, shared).then((ending) => afterDelivery(run, ending));
  }

  async function afterDelivery(run: Run, ending: Ending): Promise<void> {
    run.span?.end({ outcome: outcomeOf(ending) });
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
      // A row may be the first call of a process to storage: its due time must not rest on this machine's clock.
      const now = await stores.storageNow();
      await stores.waiting.add(
        {
          dueAt: new Date(now.getTime() + inMs),
          isLong: isLong(run.workflow, settings),
          event: run.json,
          of: { kind: 'job', address: run.address },
        },
        clock.monotonic() + settings.deadlineMs,
      );
      tellJob(run, 'put-off', shared);
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
