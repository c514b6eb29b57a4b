import { setTimeout as pause } from 'node:timers/promises';

/** Looks again and again until `look` returns something; jest's own limit ends it. For what another process does. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(20);
  }
}
