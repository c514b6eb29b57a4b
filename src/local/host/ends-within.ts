import { type Clock, sleep } from '../../clock.js';

/** Resolves with whether `work` ends within `ms`; rejects where `work` rejects in that time. */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(clock, ms, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}
