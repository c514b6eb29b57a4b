import { sleep, systemClock } from '../../src/clock.js';

/** Repeats a failed read: a server may close an idle connection at the moment of its use. */
export async function patiently<T>(read: () => Promise<T>, maxTries = 5): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries === maxTries) throw error;
      await sleep(systemClock, 500);
    }
  }
}
