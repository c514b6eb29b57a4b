import type { Clock } from '../../clock.js';
import { AS_USUAL, type Interference } from '../event-grid/interference.js';
import { chanceOf } from '../seeded.js';
import type { Chaos } from './chaos.js';

const AT_ONCE: readonly number[] = [0];
const LOST: readonly number[] = [];

/**
 * Chaos for the events that have a name. The seed and the event alone decide, not the order of calls: so each attempt
 * at an event goes the same in every replay of a run. Only the down times of the receiver depend on the clock.
 */
export function createInterference(deps: {
  chaos: Chaos;
  seed: number;
  clock: Clock;
  /** The event's name, the same in every replay of a run; undefined for an event without chaos. */
  nameOf: (eventId: string) => string | undefined;
}): Interference {
  const { chaos, seed, clock, nameOf } = deps;
  const startedAtMs = clock.monotonic();
  const chance = (what: string, ...words: (string | number)[]) => chanceOf(seed, what, ...words);

  return {
    copiesOf({ id, spoil }, subscription) {
      const name = nameOf(id);
      if (name === undefined) return AT_ONCE;
      if (!spoil && isLost(name, { chaos, seed })) return LOST;
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
      const isGarbled = () => isHit('garble', chaos.garbled);
      const fate = isHit('lose-answer', chaos.lostAnswers) ? 'lose-answer' : isGarbled() ? 'garble' : 'pass';
      if (!chaos.bothSchemas) return { fate };
      return { fate, schema: isHit('schema', 0.5) ? 'EventGridSchema' : 'CloudEventSchemaV1_0' };
    },

    isDown(events) {
      const elapsedMs = clock.monotonic() - startedAtMs;
      const isDown = elapsedMs >= chaos.downEveryMs && elapsedMs % chaos.downEveryMs < chaos.downMs;
      return isDown && events.some(({ id }) => nameOf(id) !== undefined);
    },
  };
}

/** Returns whether chaos loses the event of this name, for every subscription. Malformed events are never lost. */
export function isLost(name: string, { chaos, seed }: { chaos: Pick<Chaos, 'lost'>; seed: number }): boolean {
  return chaos.lost > 0 && chanceOf(seed, 'lost', name) < chaos.lost;
}
