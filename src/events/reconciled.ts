import { dayOf } from './key.js';

// A change that reconciliation has found in a service's history: its event has an id of its own, and history's time.

/** The prefix of the ids of events that reconciliation makes. The ids of services are UUIDs. */
export const RECONCILED_PREFIX = 'reconciled-';

/** The maximum difference between the time of an event and the time of the same change in history. */
const NEAR_MS = 5 * 60_000;

/** Returns whether reconciliation has made the event with this id. */
export function isReconciled(eventId: string): boolean {
  return eventId.startsWith(RECONCILED_PREFIX);
}

/** Returns whether two times can be those of one change. */
export function isNear(time: string | undefined, other: string | undefined): boolean {
  return Math.abs(Date.parse(time ?? '') - Date.parse(other ?? '')) < NEAR_MS;
}

/** Returns the other day that a change's event can have, if the `time` in history is near midnight; else undefined. */
export function neighbouringDayOf(time: string): string | undefined {
  const day = dayOf(time);
  const shifted = [-NEAR_MS, NEAR_MS].map((ms) => dayOf(new Date(Date.parse(time) + ms).toISOString()));
  return shifted.find((other) => other !== day);
}
