import type { TopicEvent } from './event-grid/topic-event.js';

const MAX = 1000;

/** The last events, without those of runs; a caller uses their ids with /api/events/{id}. */
export class RecentEvents {
  #events: TopicEvent[] = [];

  add(more: readonly TopicEvent[]): void {
    this.#events.push(...more.slice(-MAX));
    if (this.#events.length > 2 * MAX) this.#events = this.#events.slice(-MAX);
  }

  /** Returns the events whose subject ends with `end`, the newest first. */
  list(end = ''): Pick<TopicEvent, 'id' | 'type' | 'subject' | 'time'>[] {
    const found = this.#events.slice(-MAX).filter((event) => event.subject.endsWith(end));
    return found.map(({ id, type, subject, time }) => ({ id, type, subject, time })).reverse();
  }

  clear(): void {
    this.#events = [];
  }
}
