import { type Clock, sleep } from '../../clock.js';

/** Whether `work` ends within `ms`; rejects where it does. */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(clock, ms, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}
