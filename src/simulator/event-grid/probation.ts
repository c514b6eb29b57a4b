import type { Clock } from '../../clock.js';
import type { Outcome } from './retry.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const FAILED_IN_A_ROW = 10;
const MAX_DURATION_MS = 180 * MINUTE_MS;

/** Outcomes that are not here say nothing about the health of the endpoint. */
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
 * An endpoint that keeps failing is left alone for a while, by new events too.
 *
 *   well ── 10 events failed in a row ──▶ on probation ── time is over ──▶ tried ── failed ──▶ on probation, twice as long
 *    ▲                                        │                              │
 *    └───────────────── an event was delivered, also one that was on its way ┘
 */
export type Probation = {
  /** How many requests at once the endpoint may get: all that there are, one while it is tried, none on probation. */
  readonly max: number;
  /** On the schedule's wall clock. */
  readonly until: Date | undefined;
  failed(outcome: Outcome, events: number): void;
  succeeded(): void;
  end(): void;
};

/** `whenOver` is called when the endpoint may be tried again. */
export function createProbation(deps: { schedule: Clock; max: number; whenOver: () => void }): Probation {
  const { schedule, max, whenOver } = deps;
  let failedInARow = 0;
  let times = 0;
  let on: { until: Date; cancel: () => void } | undefined;

  return {
    get max() {
      if (on) return 0;
      return times > 0 ? 1 : max;
    },

    get until() {
      return on?.until;
    },

    failed(outcome, events) {
      const durationMs = DURATION_MS[outcome];
      if (durationMs === undefined) return;
      failedInARow += events;
      if (!on && failedInARow >= FAILED_IN_A_ROW) start(Math.min(durationMs * 2 ** times, MAX_DURATION_MS));
    },

    succeeded() {
      failedInARow = 0;
      times = 0;
      if (on) over();
    },

    end() {
      on?.cancel();
      on = undefined;
    },
  };

  function start(durationMs: number): void {
    times += 1;
    on = { until: new Date(schedule.now().getTime() + durationMs), cancel: schedule.after(durationMs, over) };
  }

  function over(): void {
    on?.cancel();
    on = undefined;
    whenOver();
  }
}
