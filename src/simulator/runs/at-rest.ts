import { type Clock, sleep } from '../../clock.js';
import { StorageError } from '../../storage/table-store.js';
import type { Verdict } from './verdict.js';

const POLL_MS = 2000;
/** After this time without a change, every lease has lapsed: open jobs wait for hours, lost jobs stay lost. */
const PATIENCE_MS = 65_000;

type Look = {
  findVerdict: () => Promise<Verdict>;
  clock: Clock;
  signal: AbortSignal;
};

/** Repeats the verdict until it is ok and no job is open, or until storage has not changed for long enough. */
export async function verdictAtRest({ findVerdict, clock, signal }: Look): Promise<Verdict> {
  let last = '';
  let unchangedSinceMs = clock.monotonic();
  const isOver = () => signal.aborted || clock.monotonic() - unchangedSinceMs >= PATIENCE_MS;
  for (;;) {
    const lookedAtMs = clock.monotonic();
    const found = await findVerdict().catch((cause: unknown) => {
      if (!(cause instanceof StorageError) || isOver()) throw cause;
      return undefined; // storage did not answer: try again
    });
    if (found) {
      if (found.ok && found.events.open === 0) return found;
      const now = JSON.stringify([found.events, found.jobs, found.neverDelivered]);
      if (now !== last) unchangedSinceMs = clock.monotonic();
      last = now;
      if (isOver()) return found;
    }
    await sleep(clock, Math.max(POLL_MS, clock.monotonic() - lookedAtMs), signal);
  }
}
