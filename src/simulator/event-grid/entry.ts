import type { Outcome } from './retry.js';
import type { TopicEvent } from './topic-event.js';

/** An event as published once, shared by all subscriptions that want it. */
export type Published = {
  readonly event: TopicEvent;
  /** On the wall clock. */
  readonly atMs: number;
  /** On the monotonic clock of the schedule, for the time to live. */
  readonly scheduleMs: number;
  /** On the monotonic real clock, for the lag. */
  readonly realMs: number;
  /** Who asks how many of theirs are pending names them so. */
  readonly group?: string | undefined;
};

const PLACES = ['held', 'ready', 'sent', 'waiting', 'letters', 'over'] as const;
export type Place = (typeof PLACES)[number];

/**
 * An event on its way to one subscription. What holds one that has gone on to another place in the meantime skips it.
 *
 *   held ──▶ ready ──▶ sent ──▶ over, when delivered
 *              ▲         ├──▶ waiting, for the next attempt ──▶ ready
 *              │         └──▶ letters, to be written ──▶ over
 */
export type Entry = {
  readonly published: Published;
  place: Place;
  attempts: number;
  /** Of the last attempt, on the wall clock; undefined before the first. */
  lastAtMs: number | undefined;
  outcome: Outcome | undefined;
};

/** How many entries stand where. */
export type Places = {
  readonly counts: Readonly<Record<Place, number>>;
  /** Not over yet. */
  readonly pending: number;
  pendingOf(group: string): number;
  enter(published: Published, place: Place): Entry;
  move(entry: Entry, place: Place): void;
};

export function createPlaces(): Places {
  const counts = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<Place, number>;
  const groups = new Map<string, number>();
  let pending = 0;

  return {
    counts,
    get pending() {
      return pending;
    },

    pendingOf: (group) => groups.get(group) ?? 0,

    enter(published, place) {
      counts[place] += 1;
      pending += 1;
      countInGroup(published, 1);
      return { published, place, attempts: 0, lastAtMs: undefined, outcome: undefined };
    },

    move(entry, place) {
      counts[entry.place] -= 1;
      counts[place] += 1;
      entry.place = place;
      if (place !== 'over') return;
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
