import { dayOf } from './key.js';

// A change that reconciliation has found in a service's history: its event has an id of its own, and history's time.

/** No service gives its events such ids: theirs are UUIDs. */
export const RECONCILED_PREFIX = 'reconciled-';

/** The time of an event and the time of the same change in history differ by less. */
const NEAR_MS = 5 * 60_000;

/** Returns whether reconciliation has made the event with this id. */
export function isReconciled(eventId: string): boolean {
  return eventId.startsWith(RECONCILED_PREFIX);
}

/** Returns whether two times can be those of one change. */
export function isNear(time: string | undefined, other: string | undefined): boolean {
  return Math.abs(Date.parse(time ?? '') - Date.parse(other ?? '')) < NEAR_MS;
}

/** Returns the day before or after, if the event of a change that history dates so can be of that day. */
export function neighbouringDayOf(time: string): string | undefined {
  const day = dayOf(time);
  const shifted = [-NEAR_MS, NEAR_MS].map((ms) => dayOf(new Date(Date.parse(time) + ms).toISOString()));
  return shifted.find((other) => other !== day);
}
