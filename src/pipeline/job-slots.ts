import { isNewer, resourceOf } from '../events/order.js';
import type { JobRun } from './job-run.js';
import type { JobDeps } from './shared.js';
import type { Slots } from './slots.js';

/**
 * Takes the slots that a job needs before it is claimed, so that no job waits under a lease:
 *
 *   1. with `ordering: 'latest'`, the slot of its resource. Of several versions in its queue the newest goes first, and
 *      the others find themselves superseded. No resource is held in storage meanwhile.
 *   2. a slot of its workflow (J11).
 *   3. company.ts: the run waits while a suspect runs alone.
 *
 * @returns false if the deadline or the end of the process took the run out of a queue. It holds no slot then.
 */
export function takeSlots(run: JobRun, deps: JobDeps): boolean | Promise<boolean> {
  if (deps.shutdown.isStopping) return false; // E1
  const resource = resourceSlotOf(run);
  if (resource !== undefined) return takeResourceSlotFirst(run, resource, deps);
  const slot = take(run, deps.slots, run.job.workflowName);
  return slot === true ? enterCompany(run, deps) : slot.then((has) => has && enterCompany(run, deps));
}

async function takeResourceSlotFirst(run: JobRun, resource: string, deps: JobDeps): Promise<boolean> {
  const { slots, resourceSlots } = deps;
  const first = take(run, resourceSlots, resource);
  if (first !== true && !(await first)) return false;
  const second = take(run, slots, run.job.workflowName);
  if (second === true || (await second)) return enterCompany(run, deps);
  resourceSlots.give(resource);
  return false;
}

function take(run: JobRun, slots: Slots<string>, key: string): true | Promise<boolean> {
  const slot = slots.take(key, run);
  return slot === true || run.queueFor(slot, () => slots.leave(key, run));
}

/** Gives the slots back if the run is taken out of the queue. */
function enterCompany(run: JobRun, deps: JobDeps): boolean | Promise<boolean> {
  const entered = deps.company.enter(run);
  if (entered === true) return true;
  return run
    .queueFor(entered, () => deps.company.leaveQueue(run))
    .then((has) => {
      if (!has) giveSlots(run, deps);
      return has;
    });
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
export function isNewerRun(a: object, b: object): boolean {
  return isNewer((a as JobRun).job.event, (b as JobRun).job.event);
}

/** Returns whether a row brought the run. Such runs wait in the second queue of a slot (J11). */
export function isFromRow(run: object): boolean {
  return (run as JobRun).isFromRow;
}
