import { GATHER_MS } from '../../src/clients/read-batches.js';
import type { Clock } from '../../src/clock.js';

/** Limits of tries and streams are at least so long; every wait between tries is shorter. */
const SHORTEST_LIMIT_MS = 10_000;

/**
 * Waits between tries end at once; `waits` has them. Waits for other reads end at once; `gathering` has them. Limits end
 * by `expire`. Time stands still but for `advance`.
 */
export function createQuickClock() {
  const waits: number[] = [];
  const limits = new Set<() => void>();
  let monotonicMs = 0;
  let areWaitsHeld = false;
  let isGatheringHeld = false;
  const gathering: number[] = [];
  const held: (() => void)[] = [];
  const clock: Clock = {
    now: () => new Date('2026-01-01T12:00:00Z'),
    monotonic: () => monotonicMs,
    after(ms, run) {
      if (ms >= SHORTEST_LIMIT_MS) {
        limits.add(run);
        return () => void limits.delete(run);
      }
      if (ms === GATHER_MS) gathering.push(ms);
      else waits.push(ms);
      if (isGatheringHeld && ms === GATHER_MS) {
        held.push(run);
        return () => {};
      }
      if (areWaitsHeld) return () => {};
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    },
    endOfTurn: (run) => void setImmediate(run),
  };
  return {
    clock,
    waits,
    /** Returns the number of time limits that are running. */
    limits: () => limits.size,
    /** Makes each further wait end only when its caller gives up. */
    holdWaits(): void {
      areWaitsHeld = true;
    },
    /** Makes reads that wait for others wait until `endGathering`. */
    holdGathering(): void {
      isGatheringHeld = true;
    },
    endGathering(): void {
      for (const run of held.splice(0)) run();
    },
    /** The waits for other reads. */
    gathering: () => gathering,
    expire(): void {
      for (const run of [...limits]) {
        limits.delete(run);
        run();
      }
    },
    advance(ms: number): void {
      monotonicMs += ms;
    },
  };
}
