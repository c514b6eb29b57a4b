import { InvalidEventError } from './invalid-event-error.js';
import { EVENT_TYPES } from './kinds.js';
import { parseEvent } from './parse.js';

/** What of a raw event may be told where no payload may go; '' for what it does not say. */
export type LoggableFields = { readonly eventId: string; readonly type: string; readonly resourceType: string };

/** Of what is no event of ours only the type is told, if that is one of the six: its id could be anything. */
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

/** The types of these events, each once, of the six that there are. */
export function typesOf(events: readonly unknown[]): string[] {
  const types = new Set(events.map(knownTypeOf));
  types.delete('');
  return [...types];
}

function knownTypeOf(raw: unknown): string {
  const { type, eventType } = Object(raw) as { type?: unknown; eventType?: unknown };
  return EVENT_TYPES.find((known) => known === (type ?? eventType)) ?? '';
}
