import { afterStarting, decideVersion, type Known, resourceOf } from '../events/order.js';
import type { Job } from '../handler/job.js';
import type { ReadWatermark, Watermark, WatermarkOf } from '../storage/watermarks.js';
import { LAPSE_MARGIN_MS } from './decide.js';
import { createHold, type Hold } from './hold.js';
import type { JobDeps } from './shared.js';

// `ordering: 'latest'`. The watermark of a resource is its lease too:
//   free --take--> held (fence + 1, `started` is this version) --applied--> free, `applied` is this version
//                                                              --failed---> free; `started` stays
//                                                              --lapsed---> held by the next job that takes the resource
//
// L1, L2 (src/events/order.ts) decide which job may take the resource. L3: fences rise with versions, since only the
// version that has started and newer versions take the resource.
//
// Taking     the process dies before the write: nothing has happened. After it: no older version runs any more; the job
//            still has its row, or its delivery, and runs again when the lease has lapsed.
//            Two processes at once: one insert or one etag wins, the other decides anew by the watermark that it gets.
//            The write takes effect late: the same as a process that dies after it.

export type ResourceClaim =
  | { kind: 'won'; hold: Hold<Watermark> }
  /** L1: a newer version has been applied, or has started. */
  | { kind: 'superseded' }
  /** L6: this very event has been applied; only the record was missing. */
  | { kind: 'applied' }
  | { kind: 'busy' }
  | { kind: 'failed'; error: unknown };

const MAX_CLAIMS = 4;
const NOTHING: Known = { applied: undefined, started: undefined };

export async function takeResource(job: Job, deps: JobDeps): Promise<ResourceClaim> {
  const { clock, random, stores, settings } = deps;
  const { leaseMs } = settings;
  const of = watermarkOf(job);
  // A resource's first event is most often its creation: then there is nothing to read.
  let current = job.event.change === 'created' ? undefined : await stores.watermarks.read(of);

  for (let claims = 0; claims < MAX_CLAIMS; claims += 1) {
    const what = decideResource(current, job);
    if (what !== 'take') return { kind: what };
    const owner = random.token();
    const mark = startedMark(current, job, { owner, leaseMs });
    const sentAtMs = clock.monotonic();
    const written = await stores.watermarks.write(of, mark, {
      ...(current ? { etag: current.etag } : {}),
      untilMs: sentAtMs + leaseMs / 4,
      by: owner,
    });
    if (written.kind === 'written') {
      const hold = createHold(
        { value: mark, etag: written.etag, sentAtMs, leaseMs },
        {
          clock,
          write: (value, how) => stores.watermarks.write(of, value, { ...how, by: owner }),
        },
      );
      return { kind: 'won', hold };
    }
    if (written.kind === 'table-busy') return { kind: 'busy' };
    current = written.current;
  }
  return { kind: 'busy' };
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

function decideResource(current: ReadWatermark | undefined, job: Job): 'take' | 'busy' | 'superseded' | 'applied' {
  if (!current) return 'take';
  const { mark, ageMs } = current;
  const decision = decideVersion(job.event, job.eventKey, mark);
  if (decision !== 'run') return decision; // L1: also while the newer version is at work
  return mark.owner !== '' && ageMs <= mark.leaseMs + LAPSE_MARGIN_MS ? 'busy' : 'take';
}

function watermarkOf({ workflowName, event }: Job): WatermarkOf {
  return { workflow: workflowName, resource: resourceOf(event) };
}

/** Whether the version that was started is applied now; if not, another job has the resource, or may have it. */
export async function applyVersion(hold: Hold<Watermark>, untilMs: number): Promise<boolean> {
  const apply = (mark: Watermark) => ({ ...mark, applied: mark.started, owner: '' });
  const outcome = await hold
    .update(apply, { untilMs: Math.min(untilMs, hold.heldUntilMs) })
    .catch(() => 'lost' as const);
  return outcome === 'written';
}

/**
 * Whether the job's version is the newest that has started, and is not applied: no older version runs any more, so the
 * tables lack this version until the job succeeds. False where storage does not say.
 */
export async function holdsState(job: Job, { stores }: Pick<JobDeps, 'stores'>): Promise<boolean> {
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
