import { isNewer, resourceOf } from '../events/order.js';
import type { JobDeps, Run } from './run.js';

/**
 * A job is claimed when there is a place for its handler, not before. With `ordering: 'latest'` it first needs its
 * turn at its resource, in this process: so that of several versions in line the newest goes first, and the others
 * find themselves superseded. It holds no resource in storage while it stands in line. Last it waits while a suspect
 * runs alone (company.ts).
 *
 * @returns false where it was taken out of the line: by the deadline, or by the end of the process
 */
export function takePlaces(run: Run, deps: JobDeps): boolean | Promise<boolean> {
  const { slots, life } = deps;
  if (life.isStopping) return false;
  const turn = turnOf(run);
  if (turn !== undefined) return takeTurnThenSlot(run, turn, deps);
  const slot = slots.take(run.workflowName, run);
  if (slot === true) return enterCompany(run, deps);
  return inLine(run, slot, () => slots.leave(run.workflowName, run)).then((has) => has && enterCompany(run, deps));
}

async function takeTurnThenSlot(run: Run, turn: string, deps: JobDeps): Promise<boolean> {
  const { slots, turns } = deps;
  const { workflowName } = run;
  if (!(await inLine(run, turns.take(turn, run), () => turns.leave(turn, run)))) return false;
  if (await inLine(run, slots.take(workflowName, run), () => slots.leave(workflowName, run)))
    return enterCompany(run, deps);
  turns.give(turn);
  return false;
}

/** Gives the slot and the turn back where the run is taken out of the line. */
function enterCompany(run: Run, deps: JobDeps): boolean | Promise<boolean> {
  const entered = deps.company.enter(run);
  if (entered === true) return true;
  return inLine(run, entered, () => deps.company.leaveLine(run)).then((has) => {
    if (!has) givePlaces(run, deps);
    return has;
  });
}

export function givePlaces(run: Run, { slots, turns, company }: JobDeps): void {
  company.leave(run);
  slots.give(run.workflowName);
  const turn = turnOf(run);
  if (turn !== undefined) turns.give(turn);
}

function turnOf(run: Run): string | undefined {
  return run.workflow?.ordering === 'latest' ? `${run.workflowName} ${resourceOf(run.event)}` : undefined;
}

/** False for who was taken out of the line. */
export async function inLine(run: Run, place: true | Promise<boolean>, leave: () => void): Promise<boolean> {
  if (place === true) return true;
  run.leaveLine = leave;
  const hasPlace = await place;
  run.leaveLine = undefined;
  return hasPlace;
}

/** Which of two versions in line goes first: the newer. */
export function isNewerRun(a: object, b: object): boolean {
  return isNewer((a as Run).event, (b as Run).event);
}

export function isFromRow(run: object): boolean {
  return (run as Run).row !== undefined;
}
