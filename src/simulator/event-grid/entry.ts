import type { Outcome } from './retry.js';
import type { TopicEvent } from './topic-event.js';

/** A published event, shared by all subscriptions that match it. */
export type Published = {
  readonly event: TopicEvent;
  /** On the wall clock. */
  readonly atMs: number;
  /** On the monotonic clock of the schedule, for the time to live. */
  readonly scheduleMs: number;
  /** On the monotonic real clock, for the lag. */
  readonly realMs: number;
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
export type Stages = {
  readonly counts: Readonly<Record<Stage, number>>;
  /** Not over yet. */
  readonly pending: number;
  pendingOf(group: string): number;
  enter(published: Published, stage: Stage): Entry;
  move(entry: Entry, stage: Stage): void;
};

export function createStages(): Stages {
  const counts = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  const groups = new Map<string, number>();
  let pending = 0;

  return {
    counts,
    get pending() {
      return pending;
    },

    pendingOf: (group) => groups.get(group) ?? 0,

    enter(published, stage) {
      counts[stage] += 1;
      pending += 1;
      countInGroup(published, 1);
      return { published, stage, attempts: 0, lastAtMs: undefined, outcome: undefined };
    },

    move(entry, stage) {
      counts[entry.stage] -= 1;
      counts[stage] += 1;
      entry.stage = stage;
      if (stage !== 'over') return;
      pending -= 1;
      countInGroup(entry.published, -1);
    },
  };

  function countInGroup({ group }: Published, by: 1 | -1): void {
    if (group === undefined) return;
    const count = (groups.get(group) ?? 0) + by;
    if (count > 0) groups.set(group, count);
    else groups.delete(group);
  }
}
