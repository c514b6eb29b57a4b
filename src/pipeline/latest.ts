import { afterStarting, decideVersion, type KnownVersions, resourceOf } from '../events/order.js';
import type { Job } from '../handler/job.js';
import type { ReadWatermark, Watermark, WatermarkKey } from '../storage/watermarks.js';
import { LAPSE_MARGIN_MS, LOOK_AGAIN_MS } from './decide.js';
import { type Hold, type HoldWrite, LeasedHold } from './hold.js';
import { type JobOutcome, retryIn } from './outcome.js';
import type { JobDeps } from './shared.js';

// `ordering: 'latest'`: the watermark of a resource is also its lease.
//
//   free --take--> held (fence + 1, `started` is this version) --applied--> free, `applied` is this version
//                                                              --failed---> free; `started` stays
//                                                              --lapsed---> held by the next job that takes it
//
// L1, L2 (src/events/order.ts) decide which job may take the resource.
// L3: fences rise with versions, since only the version that started last, and newer versions, take the resource.
//
// Taking the resource:
//   process dies before the write    nothing has happened
//   process dies after the write     no older version runs any more; the row or the delivery runs the job again after
//                                    the lease
//   two processes at once            storage accepts one insert, or one etag; the other decides by the new watermark
//   the write takes effect late      the same as a process that dies after the write

const MAX_CLAIMS = 4;
const BUSY = retryIn(LOOK_AGAIN_MS, 'resource-busy');
const NOTHING: KnownVersions = { applied: undefined, started: undefined };

/** Takes the resource of `job`; if that cannot be, returns the outcome of the job without a run of its handler. */
export async function takeResource(
  job: Job,
  deps: JobDeps,
): Promise<JobOutcome | { kind: 'won'; hold: Hold<Watermark>; completedFence: number | undefined }> {
  const { clock, random, stores, settings } = deps;
  const { leaseMs } = settings;
  const key = watermarkKeyOf(job);
  // The creation of a resource is usually its first event: then there is nothing to read.
  let current = job.event.change === 'created' ? undefined : await stores.watermarks.read(key);

  for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
    const refused = refusalOf(current, job);
    if (refused) return refused;
    const owner = random.token();
    const mark = startedMark(current, job, { owner, leaseMs });
    const sentAtMs = clock.monotonic();
    const written = await stores.watermarks.write(key, mark, {
      ...(current ? { etag: current.etag } : {}),
      untilMs: sentAtMs + leaseMs / 4,
      by: owner,
    });
    if (written.kind === 'written') {
      const write: HoldWrite<Watermark> = (value, how) => stores.watermarks.write(key, value, { ...how, by: owner });
      const held = { value: mark, etag: written.etag, sentAtMs, leaseMs };
      return { kind: 'won', hold: new LeasedHold(held, { clock, write }), completedFence: completedFenceOf(current) };
    }
    if (written.kind === 'table-busy') return BUSY;
    current = written.current;
  }
  return BUSY;
}

/** Returns the watermark of the next holder, with its version as `started`, and the next fence (L3). */
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
 * L10: returns the fence of the last holder if that holder has applied its version. After a failure `started` is
 * another version than `applied`; after a lapse the watermark still has an owner.
 */
function completedFenceOf(current: ReadWatermark | undefined): number | undefined {
  const { applied, started, owner, fence } = current?.mark ?? { ...NOTHING, owner: '', fence: 0 };
  return owner === '' && applied !== undefined && applied.eventKey === started?.eventKey ? fence : undefined;
}

/** Returns the outcome of a job that may not take the resource now; undefined if it may. */
function refusalOf(current: ReadWatermark | undefined, job: Job): JobOutcome | undefined {
  if (!current) return undefined;
  const { mark, ageMs } = current;
  const decision = decideVersion(job.event, job.eventKey, mark);
  if (decision === 'superseded') return { kind: 'superseded' }; // L1: also while the newer version runs
  if (decision === 'applied') return { kind: 'completed' }; // L6: only the record was missing
  return mark.owner !== '' && ageMs <= mark.leaseMs + LAPSE_MARGIN_MS ? BUSY : undefined;
}

function watermarkKeyOf({ workflowName, event }: Job): WatermarkKey {
  return { workflow: workflowName, resource: resourceOf(event) };
}

/** L8: applies the started version, and frees the resource. Returns false if another job may have the resource. */
export async function applyVersion(hold: Hold<Watermark>, untilMs: number): Promise<boolean> {
  const apply = (mark: Watermark) => ({ ...mark, applied: mark.started, owner: '' });
  const writing = hold.update(apply, { untilMs: Math.min(untilMs, hold.heldUntilMs) });
  return (await writing.catch(() => 'lost')) === 'written';
}

/**
 * Returns whether the job's version is the newest that has started, and is not applied. Then no older version runs any
 * more, so the workflow's tables lack this version until the job succeeds. False if storage fails.
 */
export async function isNewestNotApplied(job: Job, { stores }: Pick<JobDeps, 'stores'>): Promise<boolean> {
  if (job.workflow?.ordering === 'any') return false;
  const current = await stores.watermarks.read(watermarkKeyOf(job)).catch(() => undefined);
  const { started, applied } = current?.mark ?? NOTHING;
  return started?.eventKey === job.eventKey && applied?.eventKey !== job.eventKey;
}

/** Frees the resource; L9: if that fails, the lease lapses. */
export async function freeResource(hold: Hold<Watermark>, untilMs: number): Promise<void> {
  const free = (mark: Watermark) => ({ ...mark, owner: '' });
  await hold.update(free, { untilMs: Math.min(untilMs, hold.heldUntilMs) }).catch(() => 'lost');
}
