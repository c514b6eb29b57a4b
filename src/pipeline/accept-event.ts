import type { HealthEvent } from '../events/health-event.js';
import { InvalidEventError } from '../events/invalid-event-error.js';
import { parseEvent } from '../events/parse.js';
import { isTooLarge } from '../events/size.js';
import type { Settings } from './shared.js';

/**
 * Returns the event in `raw`.
 * @throws InvalidEventError if it is none, or none that is wanted here
 */
export function acceptEvent(raw: unknown, json: string, { workspaces }: Pick<Settings, 'workspaces'>): HealthEvent {
  if (isTooLarge(json)) throw new InvalidEventError('too-large', [{ path: '(event)', code: 'too-large' }]);
  const event = parseEvent(raw);
  if (workspaces && !workspaces.includes(event.source.toLowerCase())) {
    throw new InvalidEventError('workspace-not-listed', [{ path: 'source', code: 'not-listed' }]);
  }
  return event;
}

/** Whether a delivery of `raw` makes jobs, and no dead letter of an invalid event. */
export function isAcceptable(raw: unknown, json: string, settings: Pick<Settings, 'workspaces'>): boolean {
  try {
    acceptEvent(raw, json, settings);
    return true;
  } catch (error) {
    if (error instanceof InvalidEventError) return false;
    throw error;
  }
}
