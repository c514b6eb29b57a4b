import { resourceOf } from '../events/order.js';
import type { JobDeps, Run } from './run.js';

/**
 * A job is claimed when there is a place for its handler, not before. With `ordering: 'latest'` it first needs its
 * turn at its resource, in this process: so that of several versions in line the newest goes first, and the others
 * find themselves superseded. It holds no resource in storage while it stands in line.
 *
 * @returns false where it was taken out of the line: by the deadline, or by the end of the process
 */
export function takePlaces(run: Run, deps: JobDeps): boolean | Promise<boolean> {
  const { slots, life } = deps;
  if (life.isStopping) return false;
  const turn = turnOf(run);
  if (turn !== undefined) return takeTurnThenSlot(run, turn, deps);
  const slot = slots.take(run.workflowName, run);
  return slot === true || inLine(run, slot, () => slots.leave(run.workflowName, run));
}

async function takeTurnThenSlot(run: Run, turn: string, { slots, turns }: JobDeps): Promise<boolean> {
  const { workflowName } = run;
  if (!(await inLine(run, turns.take(turn, run), () => turns.leave(turn, run)))) return false;
  if (await inLine(run, slots.take(workflowName, run), () => slots.leave(workflowName, run))) return true;
  turns.give(turn);
  return false;
}

export function givePlaces(run: Run, { slots, turns, suspects, life }: JobDeps): void {
  if (run.isSuspect) {
    life.suspects -= 1;
    suspects.give('suspect');
  }
  run.isSuspect = false;
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
  const [x, y] = [(a as Run).event, (b as Run).event];
  const laterByMs = x.time && y.time ? Date.parse(x.time) - Date.parse(y.time) : 0;
  return Math.abs(laterByMs) > 5 * 60_000 ? laterByMs > 0 : x.version > y.version;
}

export function isFromRow(run: object): boolean {
  return (run as Run).row !== undefined;
}
