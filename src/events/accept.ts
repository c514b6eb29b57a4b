import type { HealthEvent } from './health-event.js';
import { InvalidEventError } from './invalid-event-error.js';
import { parseEvent } from './parse.js';

/** An event as it was delivered, and its JSON text. */
export type RawEvent = { readonly raw: unknown; readonly json: string };

/** The limit of an event as JSON in UTF-8: a row of `waiting` holds event and job in 64 KiB. Real events have about 1 KiB. */
export const MAX_EVENT_BYTES = 32 * 1024;

/** The workspaces whose events are accepted. Default: all. */
type Wanted = { readonly workspaces?: readonly string[] | undefined };

/** Returns the event, or the error for which it makes no jobs. */
export function acceptEvent({ raw, json }: RawEvent, { workspaces }: Wanted): HealthEvent | InvalidEventError {
  try {
    const event = sizeErrorOf(json) ?? parseEvent(raw);
    if (event instanceof InvalidEventError || !workspaces || workspaces.includes(event.source.toLowerCase()))
      return event;
    return new InvalidEventError('workspace-not-listed', [{ path: 'source', code: 'not-listed' }]);
  } catch (error) {
    if (error instanceof InvalidEventError) return error;
    throw error;
  }
}

/** Returns the error for which an event makes no jobs; undefined if it makes jobs. */
export function eventErrorOf(event: RawEvent, wanted: Wanted = {}): InvalidEventError | undefined {
  const accepted = acceptEvent(event, wanted);
  return accepted instanceof InvalidEventError ? accepted : undefined;
}

/** Returns the error of an event that is too large to store. */
export function sizeErrorOf(json: string): InvalidEventError | undefined {
  // A character has up to three bytes, so nearly all events need no exact count.
  const isTooLarge = json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(json) > MAX_EVENT_BYTES;
  return isTooLarge ? new InvalidEventError('too-large', [{ path: '(event)', code: 'too-large' }]) : undefined;
}
