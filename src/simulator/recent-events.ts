import type { TopicEvent } from './event-grid/topic-event.js';

/** The last events, without those of runs; a caller uses their ids with /api/events/{id}. */
export type RecentEvents = {
  add(events: readonly TopicEvent[]): void;
  /** The events whose subject ends with `subject`, the newest first. */
  list(subject?: string): Pick<TopicEvent, 'id' | 'type' | 'subject' | 'time'>[];
  clear(): void;
};

const MAX = 1000;

export function createRecentEvents(): RecentEvents {
  let events: TopicEvent[] = [];
  return {
    add(more) {
      events.push(...more.slice(-MAX));
      if (events.length > 2 * MAX) events = events.slice(-MAX);
    },
    list: (subject = '') =>
      events
        .slice(-MAX)
        .filter((event) => event.subject.endsWith(subject))
        .map(({ id, type, subject: of, time }) => ({ id, type, subject: of, time }))
        .reverse(),
    clear() {
      events = [];
    },
  };
}
