import type { InvalidEventError } from '../../events/invalid-event-error.js';
import { dayOfRaw } from '../../events/key.js';
import { toJson } from '../../json-text.js';
import type { DeadLetter } from './dead-letter.js';

/** A raw event that the app cannot handle, its JSON text, and the reason. */
export type InvalidEvent = { readonly raw: unknown; readonly json: string; readonly error: InvalidEventError };

/** Returns the dead letter of one invalid event. */
export function deadLetterOfInvalid(raw: unknown, error: InvalidEventError, now: Date): DeadLetter {
  return {
    stage: 'invalid',
    of: { kind: 'event', day: dayOfRaw(raw) },
    reason: error.reason,
    error: { name: error.name, code: error.reason, message: error.message },
    problems: error.problems,
    tries: 0,
    deadLetteredAt: now.toISOString(),
    event: raw,
  };
}

/**
 * Returns one dead letter for several events that are invalid for the same reason. Its name and content depend only on
 * the events and their order, so a redelivery of the same POST makes the same dead letter (R7).
 */
export function deadLetterOfInvalidBatch(events: readonly InvalidEvent[], now: Date): DeadLetter {
  const byCause = new Map<string, InvalidEvent[]>();
  for (const event of events) {
    const cause = toJson(event.error.problems);
    const same = byCause.get(cause);
    if (same) same.push(event);
    else byCause.set(cause, [event]);
  }
  const groups = [...byCause.values()];
  const [{ error }] = events as [InvalidEvent];
  const days = new Set(events.map(({ raw }) => dayOfRaw(raw)));
  return {
    stage: 'invalid',
    of: { kind: 'event', day: days.size === 1 ? ([...days][0] as string) : 'undated' },
    reason: error.reason,
    error: { name: error.name, code: error.reason, message: `${events.length} events of one delivery are invalid.` },
    causes: groups.map((group) => ({ problems: (group[0] as InvalidEvent).error.problems, events: group.length })),
    tries: 0,
    deadLetteredAt: now.toISOString(),
    event: groups.flatMap((group) => group.map(({ raw }) => raw)),
  };
}
