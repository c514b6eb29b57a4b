import type { Minutes } from '../api/overview.js';
import type { WorkflowStatus } from '../api/workflows.js';
import { METRICS } from '../telemetry/metrics.js';

// The numbers of the last hour, as counts that can be added up over minutes and instances.

const MINUTE_MS = 60_000;
export const MINUTES = 60;
/** Numbers by workflow are kept for ten minutes each: by minute, those of 50 workflows would not fit into a row. */
const MINUTES_OF_A_SPAN = 10;
export const SPANS = MINUTES / MINUTES_OF_A_SPAN;

/** In seconds: the upper bounds of the buckets of lags, about evenly on a log scale. The promises are 1 s and 5 s. */
export const LAG_BOUNDS = [0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 1, 1.7, 3, 5, 8.5, 15, 25, 125, 600, 3600] as const;
/** In seconds: the upper bounds of the buckets of durations. */
export const DURATION_BOUNDS = METRICS.workflowDuration.bounds;

/** The index of each outcome among the outcomes in `Counts`. */
export const OUTCOME_INDEX = { completed: 0, superseded: 1, 'dead-lettered': 2, retried: 3 } as const;
/** The index of each count of a minute. Lags are counted by bucket; the last bucket has no upper bound. */
export const MINUTE_INDEX = { events: 0, outcomes: 1, missing: 5, lags: 6, end: 6 + LAG_BOUNDS.length + 1 } as const;
/** The index of each count of a workflow. */
export const WORKFLOW_INDEX = { outcomes: 0, durations: 4, end: 4 + DURATION_BOUNDS.length + 1 } as const;

export type Counts = readonly number[];

/** The numbers of one instance in the last hour. An absent minute or workflow had none. */
export type Hour = {
  /** By minute since 1970. */
  readonly minutes: ReadonlyMap<number, Counts>;
  /** By span of ten minutes since 1970, then by workflow. */
  readonly spans: ReadonlyMap<number, ReadonlyMap<string, Counts>>;
  /** The rate in the last full 10 s. */
  readonly eventsPerSecond: number;
};

/** Returns the number of a minute since 1970. */
export function minuteOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS);
}

/** Returns the number of a span of ten minutes since 1970. */
export function spanOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS / MINUTES_OF_A_SPAN);
}

/** Returns the sums of all `hours` for each of the 60 minutes up to `now`. */
export function minutesOf(hours: readonly Hour[], now: Date): Minutes {
  const last = minuteOf(now.getTime());
  const all = Array.from({ length: MINUTES }, (_, ago) => last - MINUTES + 1 + ago);
  const countsOf = (minute: number) => hours.map(({ minutes }) => minutes.get(minute));
  const sums = all.map((minute) => sumOf(countsOf(minute), MINUTE_INDEX.end));
  const column = (at: number) => sums.map((counts) => counts[at] ?? 0);
  const lags = (q: number) => sums.map((counts) => quantileOf(q, counts.slice(MINUTE_INDEX.lags), LAG_BOUNDS));
  return {
    at: all.map((minute) => (minute * MINUTE_MS) / 1000),
    events: column(MINUTE_INDEX.events),
    completed: column(MINUTE_INDEX.outcomes + OUTCOME_INDEX.completed),
    superseded: column(MINUTE_INDEX.outcomes + OUTCOME_INDEX.superseded),
    deadLettered: column(MINUTE_INDEX.outcomes + OUTCOME_INDEX['dead-lettered']),
    retried: column(MINUTE_INDEX.outcomes + OUTCOME_INDEX.retried),
    lagP50: lags(0.5),
    lagP99: lags(0.99),
    missing: column(MINUTE_INDEX.missing),
  };
}

/** Returns the lags by bucket in the last `count` minutes that are over. */
export function lagsOf(hours: readonly Hour[], now: Date, count: number): Counts {
  const present = minuteOf(now.getTime());
  const minutes = Array.from({ length: count }, (_, ago) => present - 1 - ago);
  const counts = hours.flatMap((hour) => minutes.map((minute) => hour.minutes.get(minute)));
  return sumOf(counts, MINUTE_INDEX.end).slice(MINUTE_INDEX.lags);
}

/** Returns the numbers of a workflow in the last hour: the sums of all `hours`. */
export function workflowHourOf(name: string, hours: readonly Hour[], now: Date): WorkflowStatus['lastHour'] {
  const last = spanOf(now.getTime());
  const spans = Array.from({ length: SPANS }, (_, ago) => last - ago);
  const counts = hours.flatMap((hour) => spans.map((span) => hour.spans.get(span)?.get(name)));
  const sums = sumOf(counts, WORKFLOW_INDEX.end);
  const [completed = 0, superseded = 0, deadLettered = 0, retried = 0, ...durations] = sums;
  return {
    ...{ completed, superseded, deadLettered, retried },
    durationP50: quantileOf(0.5, durations, DURATION_BOUNDS),
    durationP99: quantileOf(0.99, durations, DURATION_BOUNDS),
  };
}

/** Returns the index of the bucket of `value`. A value that equals a bound is in the bucket that ends there. */
export function bucketOf(value: number, bounds: readonly number[]): number {
  let at = 0;
  while (at < bounds.length && value > (bounds[at] as number)) at += 1;
  return at;
}

/**
 * Returns a quantile, interpolated within its bucket; null without values. In the bucket without an upper bound
 * the result is the highest bound: the true quantile is at least that.
 */
export function quantileOf(q: number, counts: Counts, bounds: readonly number[]): number | null {
  const rank = q * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [at, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const from = bounds[at - 1] ?? 0;
      const to = bounds[at] ?? from;
      const seconds = from + ((to - from) * (rank - below)) / count;
      return Math.round(seconds * 10_000) / 10_000;
    }
    below += count;
  }
  return null;
}

function sumOf(all: readonly (Counts | undefined)[], length: number): number[] {
  const sum = new Array<number>(length).fill(0);
  for (const counts of all) {
    for (let at = 0; counts && at < length; at += 1) sum[at] = (sum[at] as number) + (counts[at] ?? 0);
  }
  return sum;
}
