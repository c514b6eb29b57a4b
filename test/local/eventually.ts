import { setTimeout as pause } from 'node:timers/promises';

/** Calls `look` until it returns a value, such as the effect of another process. Only the time limit of jest ends it. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(20);
  }
}
