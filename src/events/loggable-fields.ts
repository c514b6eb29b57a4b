import { InvalidEventError } from './invalid-event-error.js';
import { EVENT_TYPES } from './kinds.js';
import { parseEvent } from './parse.js';

/** The fields of a raw event that may be logged and listed; '' for a field that it does not have. */
type LoggableFields = { readonly eventId: string; readonly type: string; readonly resourceType: string };

/**
 * Returns the loggable fields of `raw`. For an invalid event, returns only a known type: its id could be any text.
 */
export function loggableFieldsOf(raw: unknown): LoggableFields {
  try {
    const event = parseEvent(raw);
    const { id: eventId, type } = event;
    return { eventId, type, resourceType: event.service === 'fhir' ? event.resourceType : '' };
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return { eventId: '', type: knownTypeOf(raw), resourceType: '' };
  }
}

/** Returns the event types of `events`, each once, without unknown types. */
export function typesOf(events: readonly unknown[]): string[] {
  const types = new Set(events.map(knownTypeOf));
  types.delete('');
  return [...types];
}

function knownTypeOf(raw: unknown): string {
  const { type, eventType } = Object(raw) as { type?: unknown; eventType?: unknown };
  return EVENT_TYPES.find((known) => known === (type ?? eventType)) ?? '';
}
