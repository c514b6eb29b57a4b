import { sleep, systemClock } from '../../src/clock.js';

const TRIES = 5;

/** Repeats a failed read: a server may close an idle connection at the moment of its use. */
export async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries === TRIES) throw error;
      await sleep(systemClock, 500);
    }
  }
}
