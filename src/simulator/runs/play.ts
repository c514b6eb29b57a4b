import { type Clock, sleep } from '../../clock.js';
import type { Scenario, World } from '../scenarios/scenario.js';

const STEPS_AT_ONCE = 200;
const TICK_MS = 10;

/** Plays a scenario at the rate of the run until enough events are made; waits while `isFull`. */
export async function play(options: {
  scenario: Scenario;
  world: World;
  events: number;
  rate: number;
  burstMs: number;
  isFull: () => boolean;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { scenario, world, events, rate, burstMs, isFull, clock, signal } = options;
  const startedAtMs = clock.monotonic();
  const steps = scenario.play(world);
  while (world.left() > 0 && !signal.aborted) {
    const due = Math.min(events, dueBy(clock.monotonic() - startedAtMs, { rate, burstMs }));
    const isDue = () => events - world.left() < due && !isFull();
    for (let step = 0; step < STEPS_AT_ONCE && isDue(); step += 1) steps.next();
    await sleep(clock, isDue() ? 0 : TICK_MS, signal);
  }
}

/** Returns how many events a run should have made `elapsedMs` after its beginning, in an even flow or in bursts. */
function dueBy(elapsedMs: number, { rate, burstMs }: { rate: number; burstMs: number }): number {
  const untilMs = burstMs > 0 ? Math.floor(elapsedMs / burstMs) * burstMs : elapsedMs;
  return Math.floor((untilMs * rate) / 1000);
}
