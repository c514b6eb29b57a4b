import type { Clock } from '../clock.js';
import type { HealthEvent } from '../events/health-event.js';
import type { Context, Workflow } from '../workflow.js';

export type HandlerResult =
  | { kind: 'ok' }
  | { kind: 'threw'; error: unknown }
  /** Its time was over, and it ended then. */
  | { kind: 'timeout' }
  /** Its time was over, and it has not ended since. */
  | { kind: 'hung' }
  /** The lease is lost: nothing of it can be recorded. */
  | { kind: 'lost' }
  /** The process ends. */
  | { kind: 'stopped' };

export type AbortReason = 'timeout' | 'lost' | 'stopped';

/** How long after its signal a handler may take to end. */
const GRACE_MS: Record<AbortReason, number> = { timeout: 60_000, lost: 0, stopped: 400 };
const AFTER_GRACE: Record<AbortReason, HandlerResult> = {
  timeout: { kind: 'hung' },
  lost: { kind: 'lost' },
  stopped: { kind: 'stopped' },
};
const OK: HandlerResult = { kind: 'ok' };

/** An AbortSignal that is made when somebody asks for it: most handlers never do. */
export type Cancellation = { readonly signal: AbortSignal; abort(reason: AbortReason): void };

export function createCancellation(): Cancellation {
  return new LazyCancellation();
}

class LazyCancellation implements Cancellation {
  #controller: AbortController | undefined;
  #aborted: AbortReason | undefined;

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(new Error(`aborted: ${this.#aborted}`));
    }
    return this.#controller.signal;
  }

  abort(reason: AbortReason): void {
    this.#aborted ??= reason;
    this.#controller?.abort(new Error(`aborted: ${reason}`));
  }
}

/**
 * What a handler has begun in its tables: it is part of its work, whether or not the handler has waited for it. Undefined
 * where all is well and over; rejects where one of it has failed, or does.
 */
export type Rest = () => Promise<void> | undefined;

/**
 * Runs the handler to its end, or until nobody may wait for it any longer. `watch` is called if it does not end at
 * once, with a function that aborts it; what it returns is called when it is over.
 */
export function runHandler(
  job: {
    workflow: Workflow;
    event: HealthEvent;
    context: Context<HealthEvent, string>;
    cancellation: Cancellation;
    rest: Rest;
  },
  deps: { clock: Clock; watch: (abort: (reason: AbortReason) => void) => () => void },
): HandlerResult | Promise<HandlerResult> {
  const { workflow, event, context, cancellation, rest } = job;
  const { clock, watch } = deps;
  let returned: unknown;
  try {
    returned = workflow.handle(event, context);
  } catch (error) {
    return { kind: 'threw', error };
  }
  const isLater = isThenable(returned);
  const left = isLater ? undefined : rest();
  if (!isLater && !left) return OK;
  const ended = left ?? Promise.resolve(returned).then(rest);

  return new Promise((resolve) => {
    let aborted: AbortReason | undefined;
    let isOver = false;
    let graceEndsAtMs = Number.POSITIVE_INFINITY;
    let cancelGrace = () => {};
    const cancelTimeout = clock.after(workflow.timeoutMs, () => abort('timeout'));
    const unwatch = watch(abort);
    ended.then(
      () => end(aborted === 'lost' ? AFTER_GRACE.lost : OK),
      (error: unknown) => end(resultOfThrow(error)),
    );

    /** A lost lease, or the end of the process, does not wait out the grace of one whose time is over. */
    function abort(reason: AbortReason) {
      if (isOver) return;
      if (!aborted || reason === 'lost') aborted = reason;
      cancellation.abort(reason);
      const endsAtMs = clock.monotonic() + GRACE_MS[reason];
      if (endsAtMs >= graceEndsAtMs) return;
      graceEndsAtMs = endsAtMs;
      cancelGrace();
      cancelGrace = clock.after(GRACE_MS[reason], () => end(AFTER_GRACE[aborted ?? reason]));
    }
    function resultOfThrow(error: unknown): HandlerResult {
      switch (aborted) {
        case undefined:
          return { kind: 'threw', error };
        case 'timeout':
          return { kind: 'timeout' };
        default:
          return AFTER_GRACE[aborted];
      }
    }
    function end(result: HandlerResult) {
      if (isOver) return;
      isOver = true;
      cancelTimeout();
      cancelGrace();
      unwatch();
      resolve(result);
    }
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
