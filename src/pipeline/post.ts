import type { Clock } from '../clock.js';
import type { Span } from '../telemetry/telemetry.js';
import { errorCodeOf } from './decide.js';
import type { Run } from './run.js';

/**
 * One POST of Event Grid's: answered when everything in it is safe, and in any case in time.
 *
 *   arrives            deadline                         + 5 s
 *      |-- handlers run --|-- what is open gets rows --|-- what is still open fails the POST
 */
export type Post = {
  readonly runs: Run[];
  readonly span: Span | undefined;
  /** One more thing must be safe. */
  open(): void;
  safe(): void;
  unsafe(error: unknown): void;
  /** Nothing more will be opened. Resolves when all is safe, else throws NotSafeError. */
  answer(): Promise<void>;
};

/** What the function throws, so that Event Grid sends the whole POST again. The host prints all of it: it holds no cause. */
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
export const ANSWER_AFTER_DEADLINE_MS = 5000;

export function createPost(deps: {
  clock: Clock;
  deadlineMs: number;
  onDeadline: (post: Post) => void;
  span?: Span | undefined;
}): Post {
  const { clock, deadlineMs, onDeadline, span } = deps;
  const arrivedAtMs = clock.monotonic();
  let open = 0;
  let failed = 0;
  let cause: unknown;
  let end: (() => void) | undefined;
  const post: Post = {
    runs: [],
    span,
    open() {
      open += 1;
    },
    safe() {
      open -= 1;
      if (open === 0) end?.();
    },
    unsafe(error) {
      failed += 1;
      cause ??= error;
      post.safe();
    },
    async answer() {
      if (open > 0) {
        await new Promise<void>((resolve) => {
          const leftMs = Math.max(0, arrivedAtMs + deadlineMs - clock.monotonic()); // many events take seconds to read
          const cancelDeadline = clock.after(leftMs, () => onDeadline(post));
          const cancelAnswer = clock.after(leftMs + ANSWER_AFTER_DEADLINE_MS, () => end?.());
          end = () => {
            end = undefined;
            cancelDeadline();
            cancelAnswer();
            resolve();
          };
        });
      }
      if (open + failed > 0) throw new NotSafeError(open + failed, cause);
    },
  };
  return post;
}
