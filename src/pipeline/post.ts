import type { Clock } from '../clock.js';
import { errorCodeOf } from '../errors.js';

/** Not all events of a POST are safe, so Event Grid must send it again. P3: no cause, because the host prints it. */
export class NotSafeError extends Error {
  override name = 'NotSafeError';
  readonly code: string;
  constructor(open: number, cause: unknown) {
    const code = cause === undefined ? 'timeout' : errorCodeOf(cause);
    super(
      `${open} jobs or dead letters of this delivery could not be made safe: storage failed (${code}). It will come again.`,
    );
    this.code = code;
  }
}

/** The time from the deadline to the answer. It suffices for a write that times out and is sent once more. */
const ANSWER_AFTER_DEADLINE_MS = 5000;

type PostDeps = { readonly clock: Clock; readonly deadlineMs: number; readonly onDeadline: () => void };

/**
 * One POST of Event Grid. Its answer waits until each job and each invalid event in it is safe, for a limited time:
 *
 *   arrives            deadline                         + 5 s
 *      |-- handlers run --|-- open jobs get rows ------|-- a job that is still open fails the POST
 */
export class Post {
  readonly #deps: PostDeps;
  readonly #arrivedAtMs: number;
  #openCount = 0;
  #failedCount = 0;
  #firstError: unknown;
  #endWait: (() => void) | undefined;

  constructor(deps: PostDeps) {
    this.#deps = deps;
    this.#arrivedAtMs = deps.clock.monotonic();
  }

  /** Adds a job or an invalid event, for which `safe` or `unsafe` is called later. */
  addOpen(): void {
    this.#openCount += 1;
  }

  /** Notes that a job or an invalid event is safe. */
  safe(): void {
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#endWait?.();
  }

  /** Notes that a job or an invalid event is not safe: the POST fails when the others are safe, or its time is over. */
  unsafe(error: unknown): void {
    this.#failedCount += 1;
    this.#firstError ??= error;
    this.safe();
  }

  /** Resolves when all that was added is safe, else throws NotSafeError. Call it after the last `addOpen`. */
  async answer(): Promise<void> {
    if (this.#openCount > 0) await this.#waitUntilClosed();
    const notSafe = this.#openCount + this.#failedCount;
    if (notSafe > 0) throw new NotSafeError(notSafe, this.#firstError);
  }

  #waitUntilClosed(): Promise<void> {
    const { clock, deadlineMs, onDeadline } = this.#deps;
    const leftMs = Math.max(0, this.#arrivedAtMs + deadlineMs - clock.monotonic()); // many events take seconds to read
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancelDeadline = clock.after(leftMs, onDeadline);
    const cancelLimit = clock.after(leftMs + ANSWER_AFTER_DEADLINE_MS, () => this.#endWait?.());
    this.#endWait = () => {
      this.#endWait = undefined;
      cancelDeadline();
      cancelLimit();
      resolve();
    };
    return promise;
  }
}
