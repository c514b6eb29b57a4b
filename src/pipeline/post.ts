import type { Clock } from '../clock.js';
import { errorCodeOf } from '../errors.js';

export type Post = ReturnType<typeof createPost>;

/**
 * The function throws this error, so that Event Grid sends the whole POST again. P3: the error holds no cause, because
 * the host prints all of it.
 */
export class NotSafeError extends Error {
  override name = 'NotSafeError';
  readonly code: string;
  constructor(open: number, cause: unknown) {
    const code = cause === undefined ? 'timeout' : errorCodeOf(cause);
    super(
      `${open} jobs or dead letters of this delivery could not be made safe: storage failed (${code}). Event Grid will send it again.`,
    );
    this.code = code;
  }
}

/** From the deadline to the answer: a write is sent, times out, and is sent once more. */
const ANSWER_AFTER_DEADLINE_MS = 5000;

type PostDeps = { readonly clock: Clock; readonly deadlineMs: number; readonly onDeadline: () => void };

/**
 * Returns one POST of Event Grid. Its answer waits until each job and each invalid event in it is safe, for a limited
 * time:
 *
 *   arrives            deadline                         + 5 s
 *      |-- handlers run --|-- open jobs get rows ------|-- a job that is still open fails the POST
 */
export function createPost({ clock, deadlineMs, onDeadline }: PostDeps) {
  const arrivedAtMs = clock.monotonic();
  let openCount = 0;
  let failedCount = 0;
  let firstError: unknown;
  let endWait: (() => void) | undefined;
  const post = {
    /** Adds a job or an invalid event, for which `safe` or `unsafe` is called later. */
    open() {
      openCount += 1;
    },
    safe() {
      openCount -= 1;
      if (openCount === 0) endWait?.();
    },
    /** The POST will fail, once the others are safe or the time is over. */
    unsafe(error: unknown) {
      failedCount += 1;
      firstError ??= error;
      post.safe();
    },
    /** Called after the last `open`. Resolves when all is safe, else throws NotSafeError. */
    async answer() {
      if (openCount > 0) await waitUntilClosed();
      const notSafe = openCount + failedCount;
      if (notSafe > 0) throw new NotSafeError(notSafe, firstError);
    },
  };
  return post;

  function waitUntilClosed(): Promise<void> {
    return new Promise((resolve) => {
      const leftMs = Math.max(0, arrivedAtMs + deadlineMs - clock.monotonic()); // many events take seconds to read
      const cancelDeadline = clock.after(leftMs, onDeadline);
      const cancelLimit = clock.after(leftMs + ANSWER_AFTER_DEADLINE_MS, () => endWait?.());
      endWait = () => {
        endWait = undefined;
        cancelDeadline();
        cancelLimit();
        resolve();
      };
    });
  }
}
