import type { Clock } from '../../clock.js';
import type { Outcome } from './retry.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const FAILED_IN_A_ROW = 10;
const MAX_DURATION_MS = 180 * MINUTE_MS;

/** Outcomes that are not listed say nothing about the health of the endpoint. */
const DURATION_MS: Readonly<Partial<Record<Outcome, number>>> = {
  Busy: 10 * SECOND_MS,
  TimedOut: 10 * SECOND_MS,
  GenericError: 10 * SECOND_MS,
  SocketError: 30 * SECOND_MS,
  NotFound: 5 * MINUTE_MS,
  ResolutionError: 5 * MINUTE_MS,
  Unauthorized: 5 * MINUTE_MS,
  Forbidden: 5 * MINUTE_MS,
};

/**
 * Holds back all events, new events too, from an endpoint that keeps failing.
 *
 *   well ── 10 events failed in a row ──▶ on probation ── time is over ──▶ tried ── failed ──▶ on probation, doubled
 *    ▲                                        │                              │
 *    └───────────── an event was delivered, also an event that was on its way ┘
 */
export class Probation {
  readonly #deps: { readonly schedule: Clock; readonly max: number; readonly whenOver: () => void };
  #failedInARow = 0;
  #times = 0;
  #on: { until: Date; cancel: () => void } | undefined;

  /** `whenOver` is called when the endpoint may be tried again. */
  constructor(deps: { schedule: Clock; max: number; whenOver: () => void }) {
    this.#deps = deps;
  }

  /** The number of requests that the endpoint may get at once: the limit if well, 1 while tried, 0 on probation. */
  get max(): number {
    if (this.#on) return 0;
    return this.#times > 0 ? 1 : this.#deps.max;
  }

  /** The end of the probation, by the wall clock of the schedule. */
  get until(): Date | undefined {
    return this.#on?.until;
  }

  failed(outcome: Outcome, events: number): void {
    const durationMs = DURATION_MS[outcome];
    if (durationMs === undefined) return;
    this.#failedInARow += events;
    if (this.#on || this.#failedInARow < FAILED_IN_A_ROW) return;
    this.#start(Math.min(durationMs * 2 ** this.#times, MAX_DURATION_MS));
  }

  succeeded(): void {
    this.#failedInARow = 0;
    this.#times = 0;
    if (this.#on) this.#over();
  }

  end(): void {
    this.#on?.cancel();
    this.#on = undefined;
  }

  #start(durationMs: number): void {
    const { schedule } = this.#deps;
    this.#times += 1;
    const until = new Date(schedule.now().getTime() + durationMs);
    this.#on = { until, cancel: schedule.after(durationMs, () => this.#over()) };
  }

  #over(): void {
    this.end();
    this.#deps.whenOver();
  }
}
