import { type Clock, sleep } from '../clock.js';
import { StorageError } from '../storage/table-store.js';

const AGAIN_MS = 500;

/** Writes again while storage fails, until a time on the monotonic clock; then throws the last error. */
export async function untilWritten(
  write: () => Promise<void>,
  { clock, untilMs }: { clock: Clock; untilMs: number },
): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StorageError) || clock.monotonic() > untilMs) throw error;
      await sleep(clock, AGAIN_MS);
    }
  }
}
