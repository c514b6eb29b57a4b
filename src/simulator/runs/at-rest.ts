import { type Clock, sleep } from '../../clock.js';
import { StorageError } from '../../storage/table-store.js';
import type { Verdict } from './verdict.js';

const POLL_MS = 2000;
/** So long nothing has changed in storage, and every lease has lapsed: what is open then waits for hours, what is lost is lost. */
const PATIENCE_MS = 65_000;

/** Judges again and again until all is well and no job is open, or nothing has changed for long enough. */
export async function verdictAtRest(of: {
  findVerdict: () => Promise<Verdict>;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Verdict> {
  const { findVerdict, clock, signal } = of;
  let last = '';
  let unchangedSinceMs = clock.monotonic();
  const isOver = () => signal.aborted || clock.monotonic() - unchangedSinceMs >= PATIENCE_MS;
  for (;;) {
    const lookedAtMs = clock.monotonic();
    const found = await findVerdict().catch((cause: unknown) => {
      if (!(cause instanceof StorageError) || isOver()) throw cause;
      return undefined; // it did not answer: look again
    });
    if (found) {
      if (found.ok && found.events.open === 0) return found;
      const now = JSON.stringify([found.events, found.jobs]);
      if (now !== last) unchangedSinceMs = clock.monotonic();
      last = now;
      if (isOver()) return found;
    }
    await sleep(clock, Math.max(POLL_MS, clock.monotonic() - lookedAtMs), signal);
  }
}
