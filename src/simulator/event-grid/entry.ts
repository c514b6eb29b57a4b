import type { Outcome } from './retry.js';
import type { TopicEvent } from './topic-event.js';

/** A published event, shared by all subscriptions that match it. */
export type Published = {
  readonly event: TopicEvent;
  /** The wall-clock time of publication. */
  readonly atMs: number;
  /** The monotonic time of the schedule, for the time to live. */
  readonly scheduleMs: number;
  /** The group by which `pendingAt` counts. */
  readonly group?: string | undefined;
};

const STAGES = ['held', 'ready', 'sent', 'waiting', 'letters', 'over'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * An event on its way to one subscription. A queue skips an entry that has moved on to another stage.
 *
 *   held ──▶ ready ──▶ sent ──▶ over, when delivered
 *              ▲         ├──▶ waiting, for the next attempt ──▶ ready
 *              │         └──▶ letters, to be written ──▶ over
 */
export type Entry = {
  readonly published: Published;
  stage: Stage;
  attempts: number;
  /** The time of the last attempt on the wall clock; undefined before the first. */
  lastAtMs: number | undefined;
  outcome: Outcome | undefined;
};

/** Counts the entries in each stage. */
export class Stages {
  readonly counts = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  readonly #groups = new Map<string, number>();
  #pending = 0;

  /** The number of entries that are not over yet. */
  get pending(): number {
    return this.#pending;
  }

  pendingOf(group: string): number {
    return this.#groups.get(group) ?? 0;
  }

  enter(published: Published, stage: Stage): Entry {
    this.counts[stage] += 1;
    this.#count(published, 1);
    return { published, stage, attempts: 0, lastAtMs: undefined, outcome: undefined };
  }

  move(entry: Entry, stage: Stage): void {
    this.counts[entry.stage] -= 1;
    this.counts[stage] += 1;
    entry.stage = stage;
    if (stage === 'over') this.#count(entry.published, -1);
  }

  #count({ group }: Published, by: 1 | -1): void {
    this.#pending += by;
    if (group === undefined) return;
    const count = this.pendingOf(group) + by;
    if (count > 0) this.#groups.set(group, count);
    else this.#groups.delete(group);
  }
}
