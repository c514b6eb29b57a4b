import type { Clock } from '../clock.js';
import type { HealthEvent } from '../events/health-event.js';
import type { Context, Workflow } from '../workflow.js';
import type { PendingChanges } from './pending-changes.js';

/** The end of a handler. `timeout`, `hung`, `lost` and `stopped` follow an abort. */
export type HandlerResult =
  | { kind: 'ok' }
  | { kind: 'threw'; error: unknown }
  /** The handler ended after its timeout. */
  | { kind: 'timeout' }
  /** The handler did not end in its grace period. */
  | { kind: 'hung' }
  /** The lease is lost: the outcome cannot be recorded. */
  | { kind: 'lost' }
  /** The process ends. */
  | { kind: 'stopped' };

/** `timeout`: the handler's time is over. `lost`: the lease is lost. `stopped`: the process ends. */
export type AbortReason = 'timeout' | 'lost' | 'stopped';

/** The grace period: the time that a handler has to end after its signal has aborted. */
const GRACE_MS: Record<AbortReason, number> = { timeout: 60_000, lost: 0, stopped: 400 };
const AFTER_GRACE: Record<AbortReason, HandlerResult> = {
  timeout: { kind: 'hung' },
  lost: { kind: 'lost' },
  stopped: { kind: 'stopped' },
};
const OK: HandlerResult = { kind: 'ok' };

/** J14: the maximum time of waiting for storage that a timeout does not count, so that no handler runs for ever. */
const MAX_STORAGE_WAIT_MS = 5 * 60_000;
/** The minimum time to the next check of a handler that has got more time because it waited for storage. */
const CHECK_AGAIN_MS = 100;

/** The abort of a handler. Creates the signal at its first use, because most handlers never use it. */
export class Cancellation {
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

/** `watch` receives a function that aborts the handler, and returns a function that is called when the handler has ended. */
type RunDeps = { readonly clock: Clock; readonly watch: (abort: (reason: AbortReason) => void) => () => void };

type HandlerRun = {
  readonly workflow: Workflow;
  readonly event: HealthEvent;
  readonly context: Context<HealthEvent, string>;
  readonly cancellation: Cancellation;
  /** The changes of tables, which belong to the handler's work even if the handler does not wait for them. */
  readonly pendingChanges: Pick<PendingChanges, 'ended' | 'waitedMs'>;
};

/** Runs the handler until it ends, or its grace period is over. Calls `watch` unless the handler ends at once. */
export function runHandler(run: HandlerRun, deps: RunDeps): HandlerResult | Promise<HandlerResult> {
  const { workflow, event, context, pendingChanges } = run;
  let returned: unknown;
  try {
    returned = workflow.handle(event, context);
  } catch (error) {
    return { kind: 'threw', error };
  }
  const isAsync = isThenable(returned);
  const pending = isAsync ? undefined : pendingChanges.ended();
  if (!isAsync && !pending) return OK;
  const ended = pending ?? Promise.resolve(returned).then(() => pendingChanges.ended());

  return new PendingHandler(ended, run, deps).result;
}

/** A handler that did not end at once. */
class PendingHandler {
  readonly #run: HandlerRun;
  readonly #clock: Clock;
  readonly #result = Promise.withResolvers<HandlerResult>();
  readonly #startedAtMs: number;
  #aborted: AbortReason | undefined;
  #isOver = false;
  #graceEndsAtMs = Number.POSITIVE_INFINITY;
  #cancelGrace = () => {};
  #cancelTimeout: () => void;
  readonly #unwatch: () => void;

  constructor(ended: Promise<void>, run: HandlerRun, { clock, watch }: RunDeps) {
    this.#run = run;
    this.#clock = clock;
    this.#startedAtMs = clock.monotonic();
    this.#cancelTimeout = clock.after(run.workflow.timeoutMs, () => this.#checkTime());
    this.#unwatch = watch((reason) => this.#abort(reason));
    ended.then(
      () => this.#end(this.#aborted === 'lost' ? AFTER_GRACE.lost : OK), // E6: also after `stopped` it is completed
      (error: unknown) => this.#end(resultOfThrow(error, this.#aborted)),
    );
  }

  get result(): Promise<HandlerResult> {
    return this.#result.promise;
  }

  /** J14: extends the time of the handler by the time of calls to its tables, so that slow storage uses no try. */
  #checkTime(): void {
    const { workflow, pendingChanges } = this.#run;
    const waitedMs = Math.min(pendingChanges.waitedMs(), MAX_STORAGE_WAIT_MS);
    const leftMs = workflow.timeoutMs - (this.#clock.monotonic() - this.#startedAtMs - waitedMs);
    if (leftMs < 1) this.#abort('timeout');
    else this.#cancelTimeout = this.#clock.after(Math.max(leftMs, CHECK_AGAIN_MS), () => this.#checkTime());
  }

  /** Aborts the handler. A later abort with a shorter grace period shortens the current one. */
  #abort(reason: AbortReason): void {
    if (this.#isOver) return;
    if (!this.#aborted || reason === 'lost') this.#aborted = reason;
    this.#run.cancellation.abort(reason);
    const endsAtMs = this.#clock.monotonic() + GRACE_MS[reason];
    if (endsAtMs >= this.#graceEndsAtMs) return;
    this.#graceEndsAtMs = endsAtMs;
    this.#cancelGrace();
    this.#cancelGrace = this.#clock.after(GRACE_MS[reason], () => this.#end(AFTER_GRACE[this.#aborted ?? reason]));
  }

  #end(result: HandlerResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimeout();
    this.#cancelGrace();
    this.#unwatch();
    this.#result.resolve(result);
  }
}

function resultOfThrow(error: unknown, aborted: AbortReason | undefined): HandlerResult {
  if (!aborted) return { kind: 'threw', error };
  return aborted === 'timeout' ? { kind: 'timeout' } : AFTER_GRACE[aborted];
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
