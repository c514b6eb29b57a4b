import type { RecentJob } from '../api/overview.js';
import type { Clock } from '../clock.js';
import { type AttributesOf, METRICS, type MetricName } from '../telemetry/metrics.js';
import type { EndedRun, Observer } from '../telemetry/telemetry.js';
import {
  bucketOf,
  DURATION_BOUNDS,
  type Hour,
  LAG_BOUNDS,
  MINUTE_INDEX,
  MINUTES,
  minuteOf,
  OUTCOME_INDEX,
  SPANS,
  spanOf,
  WORKFLOW_INDEX,
} from './hour.js';

/** The time in which events are counted for the rate. Divides a minute. */
const RATE_MS = 10_000;
export const MAX_RUNS = 50;

export type RecentRun = Omit<RecentJob, 'instance'>;

/** A place in a ring. `at`: the number since 1970 of the minute, span or 10 s whose numbers the place holds. */
type Place<Numbers> = { at: number; numbers: Numbers };
type Span = Place<Map<string, number[]>>;
type Present = { minute: Place<number[]>; span: Span; tenSeconds: Place<number> };

/** The metrics that are counted, each with the function that adds a value. */
const ADD: { readonly [M in MetricName]?: (present: Present, value: number, attributes: AttributesOf<M>) => void } = {
  events({ minute, tenSeconds }, value, { outcome }) {
    if (outcome === 'not-safe') return; // these events are counted with another outcome too
    add(minute.numbers, MINUTE_INDEX.events, value);
    tenSeconds.numbers += value;
  },
  jobs({ minute, span }, value, { workflow, outcome }) {
    if (outcome === 'put-off' || outcome === 'duplicate' || outcome === 'shared') return;
    add(minute.numbers, MINUTE_INDEX.outcomes + OUTCOME_INDEX[outcome], value);
    add(numbersOf(span, workflow), WORKFLOW_INDEX.outcomes + OUTCOME_INDEX[outcome], value);
  },
  jobLag: ({ minute }, seconds) => add(minute.numbers, MINUTE_INDEX.lags + bucketOf(seconds, LAG_BOUNDS), 1),
  workflowDuration({ span }, seconds, { workflow, outcome }) {
    if (outcome === 'aborted') return;
    add(numbersOf(span, workflow), WORKFLOW_INDEX.durations + bucketOf(seconds, DURATION_BOUNDS), 1);
  },
  changesMissing: ({ minute }, value) => add(minute.numbers, MINUTE_INDEX.missing, value),
};

/**
 * The numbers of the last hour of this process, and its last ended runs. The rest of the process adds to them through
 * telemetry.
 *
 * The numbers are in rings. A minute always has the same place, which is emptied when an hour later another minute needs the
 * place. So a clock that jumps, in either direction, leaves no wrong minute. The wall clock is read every 10 s, so that an
 * event costs additions only.
 */
export class LastHour implements Observer {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #minutes = new Ring<number[]>(MINUTES, () => new Array<number>(MINUTE_INDEX.end).fill(0));
  readonly #spans = new Ring<Map<string, number[]>>(SPANS, () => new Map());
  readonly #tenSeconds = new Ring<number>(2, () => 0);
  readonly #runs: (EndedRun & { readonly atMs: number })[] = [];
  #nextRun = 0;
  #present: Present;
  /** By the monotonic clock: the end of the present 10 s. */
  #untilMs = 0;
  /** The wall clock minus the monotonic clock. */
  #offsetMs = 0;
  #changes = 0;

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock;
    this.#present = this.#findPresent();
  }

  /** Rises with each counted metric and each ended run. */
  get changes(): number {
    return this.#changes;
  }

  record<M extends MetricName>(metric: M, value: number, attributes: AttributesOf<M>): void {
    const addTo = ADD[metric];
    if (!addTo || (value === 0 && METRICS[metric].kind === 'counter')) return;
    this.#keepUp();
    this.#changes += 1;
    addTo(this.#present, value, attributes);
  }

  ended(run: EndedRun): void {
    const monotonicMs = this.#keepUp();
    this.#changes += 1;
    this.#runs[this.#nextRun] = { ...run, atMs: monotonicMs + this.#offsetMs };
    this.#nextRun = (this.#nextRun + 1) % MAX_RUNS;
  }

  /** Returns a copy of the numbers. */
  hour(): Hour {
    this.#present = this.#findPresent(); // the rate must be that of the last full 10 s
    const { minute, span, tenSeconds } = this.#present;
    const before = this.#tenSeconds.upTo(tenSeconds.at).find(({ at }) => at < tenSeconds.at);
    return {
      minutes: new Map(this.#minutes.upTo(minute.at).map(({ at, numbers }) => [at, [...numbers]])),
      spans: new Map(
        this.#spans
          .upTo(span.at)
          .map(({ at, numbers }) => [at, new Map([...numbers].map(([name, counts]) => [name, [...counts]]))]),
      ),
      eventsPerSecond: (before?.numbers ?? 0) / (RATE_MS / 1000),
    };
  }

  /** Returns the last runs that have ended, the newest first. */
  recent(): RecentRun[] {
    return [...this.#runs.slice(this.#nextRun), ...this.#runs.slice(0, this.#nextRun)]
      .reverse()
      .map(({ atMs, durationMs, ...run }) => ({
        at: new Date(atMs).toISOString(),
        ...run,
        durationMs: durationMs === undefined ? null : Math.round(durationMs * 10) / 10,
      }));
  }

  #keepUp(): number {
    const monotonicMs = this.#clock.monotonic();
    if (monotonicMs >= this.#untilMs) this.#present = this.#findPresent();
    return monotonicMs;
  }

  #findPresent(): Present {
    const nowMs = this.#clock.now().getTime();
    const monotonicMs = this.#clock.monotonic();
    this.#offsetMs = nowMs - monotonicMs;
    this.#untilMs = monotonicMs + RATE_MS - (nowMs % RATE_MS);
    return {
      minute: this.#minutes.place(minuteOf(nowMs)),
      span: this.#spans.place(spanOf(nowMs)),
      tenSeconds: this.#tenSeconds.place(Math.floor(nowMs / RATE_MS)),
    };
  }
}

/** The numbers of the last `size` minutes, spans or periods of 10 s. */
class Ring<Numbers> {
  readonly #places: Place<Numbers>[];
  readonly #empty: () => Numbers;

  constructor(size: number, empty: () => Numbers) {
    this.#empty = empty;
    this.#places = Array.from({ length: size }, () => ({ at: -1, numbers: empty() }));
  }

  /** Returns the place of `at`, emptied if it held numbers of another time. */
  place(at: number): Place<Numbers> {
    const place = this.#places[at % this.#places.length] as Place<Numbers>;
    if (place.at !== at) Object.assign(place, { at, numbers: this.#empty() });
    return place;
  }

  /** Returns the places in use up to `last`. */
  upTo(last: number): Place<Numbers>[] {
    return this.#places.filter(({ at }) => at > last - this.#places.length && at <= last && at >= 0);
  }
}

function numbersOf({ numbers }: Span, workflow: string): number[] {
  const known = numbers.get(workflow);
  if (known) return known;
  const made = new Array<number>(WORKFLOW_INDEX.end).fill(0);
  numbers.set(workflow, made);
  return made;
}

function add(numbers: number[], at: number, value: number): void {
  numbers[at] = (numbers[at] as number) + value;
}
