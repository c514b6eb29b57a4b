import type { RawEvent } from '../../events/accept.js';
import type { InvalidEventError } from '../../events/invalid-event-error.js';
import { dayOfRaw } from '../../events/key.js';
import { toJson } from '../../json-text.js';
import type { DeadLetter } from './dead-letter.js';

/** An event that the app cannot handle, and the reason. */
export type InvalidEvent = RawEvent & { readonly error: InvalidEventError };

/** A dead letter, the first of the invalid events in it, and how many there are. */
type InvalidDeadLetter = {
  readonly deadLetter: DeadLetter;
  readonly first: InvalidEvent;
  readonly count: number;
};

/**
 * More invalid events than this in one delivery share dead letters: each write costs milliseconds, and the answer is
 * due in 20 s.
 */
const MAX_SEPARATE = 100;
/** Limits of one shared dead letter: a person can still read it, and a redrive of it ends in time. */
const MAX_EVENTS = 5000;
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Returns the dead letters of the invalid events of a delivery, or of a blob of Event Grid: one for each event, or
 * shared ones where there are many. Their names and contents follow from the events alone (R7).
 */
export function deadLettersOfInvalid(events: readonly InvalidEvent[], now: Date): InvalidDeadLetter[] {
  if (events.length <= MAX_SEPARATE) {
    return events.map((first) => ({ deadLetter: deadLetterOfInvalid(first, now), first, count: 1 }));
  }
  return batchesOf(events).map((batch) => {
    const [first] = batch as [InvalidEvent];
    return { deadLetter: deadLetterOfInvalidBatch(batch, now), first, count: batch.length };
  });
}

/** Returns the dead letter of one invalid event. */
export function deadLetterOfInvalid({ raw, error }: InvalidEvent, now: Date): DeadLetter {
  return {
    stage: 'invalid',
    origin: { kind: 'event', day: dayOfRaw(raw) },
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
function deadLetterOfInvalidBatch(events: readonly InvalidEvent[], now: Date): DeadLetter {
  const groups = [...Map.groupBy(events, ({ error }) => toJson(error.problems)).values()];
  const [{ error }] = events as [InvalidEvent];
  const days = new Set(events.map(({ raw }) => dayOfRaw(raw)));
  return {
    stage: 'invalid',
    origin: { kind: 'event', day: days.size === 1 ? ([...days][0] as string) : 'undated' },
    reason: error.reason,
    error: { name: error.name, code: error.reason, message: `${events.length} events of one delivery are invalid.` },
    causes: groups.map((group) => ({ problems: (group[0] as InvalidEvent).error.problems, events: group.length })),
    tries: 0,
    deadLetteredAt: now.toISOString(),
    event: groups.flatMap((group) => group.map(({ raw }) => raw)),
  };
}

/** Events of one reason each, in the order of the delivery, within the limits of a shared dead letter. */
function batchesOf(events: readonly InvalidEvent[]): InvalidEvent[][] {
  const batches: InvalidEvent[][] = [];
  const open = new Map<string, { batch: InvalidEvent[]; characters: number }>();
  for (const event of events) {
    const { reason } = event.error;
    let last = open.get(reason);
    const isFull = last && (last.batch.length === MAX_EVENTS || last.characters + event.json.length > MAX_CHARACTERS);
    if (!last || isFull) {
      last = { batch: [], characters: 0 };
      open.set(reason, last);
      batches.push(last.batch);
    }
    last.batch.push(event);
    last.characters += event.json.length;
  }
  return batches;
}
