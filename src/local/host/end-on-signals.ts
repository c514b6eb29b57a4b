import type { Clock } from '../../clock.js';

/** npm passes a Ctrl-C on that the terminal has sent already: within this time it is the same one. */
const SAME_MS = 1000;

/** Resolves at the first SIGINT, SIGTERM, or when the parent that shares a channel has gone; the next one ends at once. */
export function endOnSignals(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const end = () => {
      if (firstAt !== undefined && clock.monotonic() - firstAt > SAME_MS) process.exit(130);
      firstAt ??= clock.monotonic();
      resolve();
    };
    process.on('SIGINT', end).on('SIGTERM', end).on('disconnect', end);
  });
}
