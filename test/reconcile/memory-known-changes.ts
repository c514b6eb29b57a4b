import type { HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import type { KnownChanges } from '../../src/reconcile/known-changes.js';

/** The changes that a ledger by change would know, in memory. A change that is brought in is known from then on. */
export function createMemoryKnownChanges() {
  const known = new Set<string>();
  const broughtIn: { event: HealthEvent; workflow: string | undefined }[] = [];
  let asked = 0;
  const nameOf = (event: HealthEvent, workflow = '*') => `${keyOf(event).contentDigest} ${workflow}`;
  const changes: KnownChanges = {
    async isKnown(event, workflow) {
      asked += 1;
      return known.has(nameOf(event)) || (workflow !== undefined && known.has(nameOf(event, workflow)));
    },
    async bringIn({ raw }, workflow) {
      const event = parseEvent(raw);
      broughtIn.push({ event, workflow });
      known.add(nameOf(event, workflow));
    },
  };
  return {
    ...changes,
    /** A job of every workflow knows the change of this event. */
    know: (event: HealthEvent) => void known.add(nameOf(event)),
    /** The events that were brought in, in order. */
    broughtIn,
    /** The number of look-ups. */
    asked: () => asked,
  };
}
