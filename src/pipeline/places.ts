import { resourceOf } from '../events/order.js';
import type { JobDeps, Run } from './run.js';

/**
 * A job is claimed when there is a place for its handler, not before. With `ordering: 'latest'` it first needs its
 * turn at its resource, in this process: so that of several versions in line the newest goes first, and the others
 * find themselves superseded. It holds no resource in storage while it stands in line.
 *
 * @returns undefined where it was taken out of the line: by the deadline, or by the end of the process
 */
export async function takePlaces(run: Run, deps: JobDeps): Promise<{ give(): void } | undefined> {
  const { slots, turns, suspects, life } = deps;
  const { workflowName: slot } = run;
  const turn = run.workflow?.ordering === 'latest' ? `${slot} ${resourceOf(run.event)}` : undefined;

  if (life.isStopping) return undefined;
  if (turn && !(await inLine(run, turns.take(turn, run), () => turns.leave(turn, run)))) return undefined;
  if (!(await inLine(run, slots.take(slot, run), () => slots.leave(slot, run)))) {
    if (turn) turns.give(turn);
    return undefined;
  }
  return {
    give() {
      if (run.isSuspect) suspects.give('suspect');
      run.isSuspect = false;
      slots.give(slot);
      if (turn) turns.give(turn);
    },
  };
}

async function inLine(run: Run, place: true | Promise<boolean>, leave: () => void): Promise<boolean> {
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
