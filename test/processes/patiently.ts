import { sleep, systemClock } from '../../src/clock.js';

const TRIES = 5;

/** Reads again where it fails: a connection that was idle may be cut off by its server at the moment of use. */
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
