import { afterApplying, orderOf, resourceOf } from '../events/order.js';
import type { ReadWatermark, Watermark, WatermarkOf } from '../storage/watermarks.js';
import { LAPSE_MARGIN_MS } from './decide.js';
import { createHold, type Hold } from './hold.js';
import type { JobDeps, Run } from './run.js';

// `ordering: 'latest'`. The watermark of a resource is its lease too:
//   free --take--> held (fence + 1) --applied--> free, with this version
//                                   --failed---> free, as it was
//                                   --lapsed---> whoever takes it next (fence + 1)

export type ResourceClaim =
  | { kind: 'won'; hold: Hold<Watermark> }
  /** A newer version has been applied. */
  | { kind: 'superseded' }
  /** This very event has been applied: only the record was missing. */
  | { kind: 'applied' }
  | { kind: 'busy' }
  | { kind: 'failed'; error: unknown };

const MOST_CLAIMS = 4;

export async function takeResource(run: Run, deps: JobDeps): Promise<ResourceClaim> {
  const { clock, random, stores, settings } = deps;
  const { leaseMs } = settings;
  const of: WatermarkOf = { workflow: run.workflowName, resource: resourceOf(run.event) };
  // A resource's first event is most often its creation: then there is nothing to read.
  let current = run.event.change === 'created' ? undefined : await stores.watermarks.read(of);

  for (let claims = 0; claims < MOST_CLAIMS; claims += 1) {
    const what = decideResource(current, run);
    if (what !== 'take') return { kind: what };
    const owner = random.token();
    const mark: Watermark = {
      applied: current?.mark.applied,
      fence: (current?.mark.fence ?? 0) + 1,
      owner,
      write: (current?.mark.write ?? 0) + 1,
      leaseMs,
    };
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

function decideResource(current: ReadWatermark | undefined, run: Run): 'take' | 'busy' | 'superseded' | 'applied' {
  if (!current) return 'take';
  const { mark, ageMs } = current;
  if (mark.owner !== '' && ageMs <= mark.leaseMs + LAPSE_MARGIN_MS) return 'busy';
  const order = orderOf(run.event, run.eventKey, mark.applied);
  return order === 'newer' ? 'take' : order === 'same' ? 'applied' : 'superseded';
}

/** Whether the version is applied now; if not, somebody else has the resource, or may have it. */
export async function applyVersion(run: Run, hold: Hold<Watermark>, untilMs: number): Promise<boolean> {
  const { event, eventKey } = run;
  const apply = (mark: Watermark) => ({ ...mark, applied: afterApplying(event, eventKey, mark.applied), owner: '' });
  const outcome = await hold
    .update(apply, { untilMs: Math.min(untilMs, hold.heldUntilMs) })
    .catch(() => 'lost' as const);
  return outcome === 'written';
}

/** If it cannot be freed, its lease lapses. */
export async function freeResource(hold: Hold<Watermark>, untilMs: number): Promise<void> {
  const free = (mark: Watermark) => ({ ...mark, owner: '' });
  await hold.update(free, { untilMs: Math.min(untilMs, hold.heldUntilMs) }).catch(() => 'lost');
}
