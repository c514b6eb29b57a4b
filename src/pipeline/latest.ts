import { afterStarting, decideVersion, type Known, resourceOf } from '../events/order.js';
import type { Job } from '../handler/job.js';
import type { ReadWatermark, Watermark, WatermarkOf } from '../storage/watermarks.js';
import { LAPSE_MARGIN_MS, LOOK_AGAIN_MS } from './decide.js';
import { type Hold, type HoldWrite, LeasedHold } from './hold.js';
import { type JobOutcome, retryIn } from './outcome.js';
import type { JobDeps } from './shared.js';

// `ordering: 'latest'`. The watermark of a resource is its lease too:
//   free --take--> held (fence + 1, `started` is this version) --applied--> free, `applied` is this version
//                                                              --failed---> free; `started` stays
//                                                              --lapsed---> held by the next job that takes it
//
// L1, L2 (src/events/order.ts) decide which job may take the resource. L3: fences rise with versions, since only the
// version that has started and newer versions take the resource.
//
// Taking     the process dies before the write: nothing has happened. After it: no older version runs any more; the job
//            still has its row, or its delivery, and runs again when the lease has lapsed.
//            Two processes at once: one insert or one etag wins, the other decides anew by the watermark that it gets.
//            The write takes effect late: the same as a process that dies after it.

const MAX_CLAIMS = 4;
const BUSY = retryIn(LOOK_AGAIN_MS, 'resource-busy');
const NOTHING: Known = { applied: undefined, started: undefined };

/** Takes the resource of `job`; else returns how the run of the job ends without its handler. */
export async function takeResource(
  job: Job,
  deps: JobDeps,
): Promise<JobOutcome | { kind: 'won'; hold: Hold<Watermark>; completedFence: number | undefined }> {
  const { clock, random, stores, settings } = deps;
  const { leaseMs } = settings;
  const of = watermarkOf(job);
  // A resource's first event is most often its creation: then there is nothing to read.
  let current = job.event.change === 'created' ? undefined : await stores.watermarks.read(of);

  for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
    const refused = refusalOf(current, job);
    if (refused) return refused;
    const owner = random.token();
    const mark = startedMark(current, job, { owner, leaseMs });
    const sentAtMs = clock.monotonic();
    const written = await stores.watermarks.write(of, mark, {
      ...(current ? { etag: current.etag } : {}),
      untilMs: sentAtMs + leaseMs / 4,
      by: owner,
    });
    if (written.kind === 'written') {
      const write: HoldWrite<Watermark> = (value, how) => stores.watermarks.write(of, value, { ...how, by: owner });
      const held = { value: mark, etag: written.etag, sentAtMs, leaseMs };
      return { kind: 'won', hold: new LeasedHold(held, { clock, write }), completedFence: completedFenceOf(current) };
    }
    if (written.kind === 'table-busy') return BUSY;
    current = written.current;
  }
  return BUSY;
}

/** Returns the watermark of the next holder: its version has started, and its fence is the next (L3). */
function startedMark(
  current: ReadWatermark | undefined,
  job: Job,
  holder: { owner: string; leaseMs: number },
): Watermark {
  return {
    applied: current?.mark.applied,
    started: afterStarting(job.event, job.eventKey, current?.mark ?? NOTHING),
    fence: (current?.mark.fence ?? 0) + 1,
    write: (current?.mark.write ?? 0) + 1,
    ...holder,
  };
}

/**
 * L10: returns the fence of the last holder if it has applied its version. A holder that failed has started another
 * version than the applied one; the watermark still names a holder whose lease lapsed.
 */
function completedFenceOf(current: ReadWatermark | undefined): number | undefined {
  const { applied, started, owner, fence } = current?.mark ?? { ...NOTHING, owner: '', fence: 0 };
  return owner === '' && applied !== undefined && applied.eventKey === started?.eventKey ? fence : undefined;
}

/** Returns undefined if the job may take the resource now. */
function refusalOf(current: ReadWatermark | undefined, job: Job): JobOutcome | undefined {
  if (!current) return undefined;
  const { mark, ageMs } = current;
  const decision = decideVersion(job.event, job.eventKey, mark);
  if (decision === 'superseded') return { kind: 'superseded' }; // L1: also while the newer version is at work
  if (decision === 'applied') return { kind: 'completed' }; // L6: only the record was missing
  return mark.owner !== '' && ageMs <= mark.leaseMs + LAPSE_MARGIN_MS ? BUSY : undefined;
}

function watermarkOf({ workflowName, event }: Job): WatermarkOf {
  return { workflow: workflowName, resource: resourceOf(event) };
}

/**
 * Returns whether the version that was started is applied now; if not, another job has the resource, or may have it.
 */
export async function applyVersion(hold: Hold<Watermark>, untilMs: number): Promise<boolean> {
  const apply = (mark: Watermark) => ({ ...mark, applied: mark.started, owner: '' });
  const writing = hold.update(apply, { untilMs: Math.min(untilMs, hold.heldUntilMs) });
  return (await writing.catch(() => 'lost')) === 'written';
}

/**
 * Returns whether the job's version is the newest that has started, and is not applied: no older version runs any more,
 * so the tables lack this version until the job succeeds. False where storage does not say.
 */
export async function isNewestNotApplied(job: Job, { stores }: Pick<JobDeps, 'stores'>): Promise<boolean> {
  if (job.workflow?.ordering === 'any') return false;
  const current = await stores.watermarks.read(watermarkOf(job)).catch(() => undefined);
  const { started, applied } = current?.mark ?? NOTHING;
  return started?.eventKey === job.eventKey && applied?.eventKey !== job.eventKey;
}

/** Frees the resource; L9: if that fails, the lease lapses. */
export async function freeResource(hold: Hold<Watermark>, untilMs: number): Promise<void> {
  const free = (mark: Watermark) => ({ ...mark, owner: '' });
  await hold.update(free, { untilMs: Math.min(untilMs, hold.heldUntilMs) }).catch(() => 'lost');
}
