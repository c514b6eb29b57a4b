import type { Clock } from '../../clock.js';
import { AS_USUAL, type Interference, type Treatment } from '../event-grid/interference.js';
import { chanceOf } from '../seeded.js';
import type { Chaos } from './chaos.js';

const AT_ONCE: readonly number[] = [0];

/**
 * Chaos, for the events that have a name in it. It is a function of the seed and of the event, never of what was asked
 * before: requests may be sent in any order, and still the same happens to each event at each of its attempts. Only
 * when the receiver is down hangs on the clock.
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

    treatmentOf({ id }, subscription, attempt) {
      const name = nameOf(id);
      if (name === undefined) return AS_USUAL;
      const isHit = (what: string, share: number) => share > 0 && chance(what, subscription, name, attempt) < share;
      const fate: Treatment['fate'] = isHit('lose-answer', chaos.lostAnswers)
        ? 'lose-answer'
        : isHit('garble', chaos.garbled)
          ? 'garble'
          : 'pass';
      if (!chaos.bothSchemas) return { fate };
      return { fate, schema: isHit('schema', 0.5) ? 'EventGridSchema' : 'CloudEventSchemaV1_0' };
    },

    isDown: (events) =>
      isDownAfter(clock.monotonic() - startedAtMs) && events.some(({ id }) => nameOf(id) !== undefined),
  };

  function isDownAfter(elapsedMs: number): boolean {
    return elapsedMs >= chaos.downEveryMs && elapsedMs % chaos.downEveryMs < chaos.downMs;
  }
}
