import { isNewer, resourceOf } from '../events/order.js';
import type { JobRun } from './job-run.js';
import type { JobDeps } from './shared.js';
import type { Slots } from './slots.js';

/**
 * Takes the slots that a job needs before it is claimed, so that no job waits under a lease:
 *
 *   1. with `ordering: 'latest'`, the slot of its resource. Of several versions in the queue the newest goes first, and
 *      the others are then superseded. A queued job does not hold the resource in storage.
 *   2. a slot of its workflow (J11).
 *   3. entry into the company: the run waits while a suspect runs alone (company.ts).
 *
 * @returns false if the deadline or the end of the process took the run out of a queue. Then the run holds no slot.
 */
export async function takeSlots(run: JobRun, deps: JobDeps): Promise<boolean> {
  const { shutdown, slots, resourceSlots, company } = deps;
  if (shutdown.isStopping) return false; // E1: no job is claimed any more
  const resource = resourceSlotOf(run);
  if (resource !== undefined && !(await take(run, resourceSlots, resource))) return false;
  if (!(await take(run, slots, run.job.workflowName))) {
    if (resource !== undefined) resourceSlots.give(resource);
    return false;
  }
  const entry = company.enter(run);
  if (entry === true || (await run.queueFor(entry, () => company.leaveQueue(run)))) return true;
  giveSlots(run, deps);
  return false;
}

function take(run: JobRun, slots: Slots<string, JobRun>, key: string): true | Promise<boolean> {
  const slot = slots.take(key, run);
  return slot === true || run.queueFor(slot, () => slots.leave(key, run));
}

/** Gives back all that `takeSlots` took. */
export function giveSlots(run: JobRun, { slots, resourceSlots, company }: JobDeps): void {
  company.leave(run);
  slots.give(run.job.workflowName);
  const resource = resourceSlotOf(run);
  if (resource !== undefined) resourceSlots.give(resource);
}

function resourceSlotOf({ job }: JobRun): string | undefined {
  return job.workflow?.ordering === 'latest' ? `${job.workflowName} ${resourceOf(job.event)}` : undefined;
}

/** Returns whether `a` goes before `b` in the queue of a resource: the newer version does. */
export function isNewerRun(a: JobRun, b: JobRun): boolean {
  return isNewer(a.job.event, b.job.event);
}
