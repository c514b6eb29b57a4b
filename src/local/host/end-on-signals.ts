import type { Clock } from '../../clock.js';

/** npm passes on a Ctrl-C that the terminal has sent already: two signals within this time are one Ctrl-C. */
const SAME_MS = 1000;

/**
 * Resolves at the first SIGINT or SIGTERM, or when the parent process has closed its channel. A second Ctrl-C ends the
 * process at once; the parent's close does not, because --watch closes the channel after a Ctrl-C, too.
 */
export function endOnSignals(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const end = () => {
      if (firstAt !== undefined && clock.monotonic() - firstAt > SAME_MS) process.exit(130);
      firstAt ??= clock.monotonic();
      resolve();
    };
    process.on('SIGINT', end).on('SIGTERM', end).on('disconnect', resolve);
  });
}
