import type { Clock } from '../clock.js';
import { errorCodeOf } from '../errors.js';

export type Post = ReturnType<typeof createPost>;

/** The function throws it, so that Event Grid sends the whole POST again. P3: it holds no cause, because the host prints all of it. */
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

/** From the deadline to the answer: one try of a write, its timeout, and one more. */
const ANSWER_AFTER_DEADLINE_MS = 5000;

type PostDeps = { readonly clock: Clock; readonly deadlineMs: number; readonly onDeadline: () => void };

/**
 * One POST of Event Grid's: answered when everything in it is safe, and in any case in time.
 *
 *   arrives            deadline                         + 5 s
 *      |-- handlers run --|-- open jobs get rows ------|-- a job that is still open fails the POST
 */
export function createPost({ clock, deadlineMs, onDeadline }: PostDeps) {
  const arrivedAtMs = clock.monotonic();
  let unsafe = 0;
  let failed = 0;
  let cause: unknown;
  let end: (() => void) | undefined;
  const post = {
    /** One more thing must be safe. */
    open() {
      unsafe += 1;
    },
    safe() {
      unsafe -= 1;
      if (unsafe === 0) end?.();
    },
    unsafe(error: unknown) {
      failed += 1;
      cause ??= error;
      post.safe();
    },
    /** Nothing more will be opened. Resolves when all is safe, else throws NotSafeError. */
    async answer() {
      if (unsafe > 0) {
        await new Promise<void>((resolve) => {
          const leftMs = Math.max(0, arrivedAtMs + deadlineMs - clock.monotonic()); // many events take seconds to read
          const cancelDeadline = clock.after(leftMs, onDeadline);
          const cancelAnswer = clock.after(leftMs + ANSWER_AFTER_DEADLINE_MS, () => end?.());
          end = () => {
            end = undefined;
            cancelDeadline();
            cancelAnswer();
            resolve();
          };
        });
      }
      if (unsafe + failed > 0) throw new NotSafeError(unsafe + failed, cause);
    },
  };
  return post;
}
