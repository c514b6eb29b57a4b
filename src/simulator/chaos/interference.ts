import type { Clock } from '../../clock.js';
import type { Interference } from '../event-grid/interference.js';
import { chanceOf } from '../seeded.js';
import type { Chaos } from './chaos.js';

const AT_ONCE: readonly number[] = [0];

/**
 * Chaos, for the events that have a name in it. It is a function of the seed and of what it is about, never of what was asked before: requests may be sent in any
 * order, and still the same events are doubled and held back.
 */
export function createInterference(deps: {
  chaos: Chaos;
  seed: number;
  clock: Clock;
  /** What an event is called here, the same whenever the same run is played; undefined for what is left in peace. */
  nameOf: (eventId: string) => string | undefined;
}): Interference {
  const { chaos, seed, clock, nameOf } = deps;
  const startedAtMs = clock.monotonic();
  const chance = (what: string, ...of: (string | number)[]) => chanceOf(seed, what, ...of);

  return {
    copiesOf({ id }, subscription) {
      const name = nameOf(id);
      if (name === undefined) return AT_ONCE;
      const copies = chance('duplicate', subscription, name) < chaos.duplicates ? 2 : 1;
      return Array.from({ length: copies }, (_, copy) => {
        const isDelayed = copy > 0 || chance('delay', subscription, name) < chaos.delays;
        return isDelayed ? Math.floor(chance('delayMs', subscription, name, copy) * chaos.delayMs) : 0;
      });
    },

    onRequest(events, subscription, attempt) {
      const first = events[0] && nameOf(events[0].id);
      if (first === undefined) return 'pass';
      if (isDown(clock.monotonic() - startedAtMs)) return 'down';
      if (chance('lose-answer', subscription, first, attempt) < chaos.lostAnswers) return 'lose-answer';
      return chance('garble', subscription, first, attempt) < chaos.garbled ? 'garble' : 'pass';
    },

    schemaOf(events, subscription, attempt) {
      const first = events[0] && nameOf(events[0].id);
      if (!chaos.bothSchemas || first === undefined) return undefined;
      return chance('schema', subscription, first, attempt) < 0.5 ? 'EventGridSchema' : 'CloudEventSchemaV1_0';
    },
  };

  function isDown(elapsedMs: number): boolean {
    return elapsedMs >= chaos.downEveryMs && elapsedMs % chaos.downEveryMs < chaos.downMs;
  }
}
