import fc from 'fast-check';
import { nextOf, previousOf } from '../../../src/workflows/observation-alerts/results.js';

type Read = { reading: { observationId: string; takenAt: Date } };

const at = (observationId: string, time: string): Read => ({ reading: { observationId, takenAt: new Date(time) } });
const previous = ({ reading }: Read, others: readonly Read[]) => previousOf(reading, others)?.reading.observationId;
const next = ({ reading }: Read, others: readonly Read[]) => nextOf(reading, others)?.reading.observationId;

const NOW = at('now', '2026-03-10T08:00:00Z');
const OTHERS = [
  at('first', '2026-03-08'),
  at('third', '2026-03-11'),
  at('second', '2026-03-09'),
  at('x', '2026-03-12'),
];

describe('when a result is put among the others of its patient', () => {
  it('given earlier and later ones, then the nearest of each are its neighbours', () => {
    expect([previous(NOW, OTHERS), next(NOW, OTHERS)]).toEqual(['second', 'third']);
  });

  it('given no other result, then the result has no neighbours', () => {
    expect([previous(NOW, []), next(NOW, [])]).toEqual([undefined, undefined]);
  });

  it('given the nearest is another place of the same result, then the one before is the previous result', () => {
    const same = [at('now', '2026-03-10T07:00:00Z'), at('now', '2026-03-10T09:00:00Z'), ...OTHERS];
    expect([previous(NOW, same), next(NOW, same)]).toEqual(['second', 'third']);
  });

  it('given results of the same time, then their ids decide the order', () => {
    const same = ['b', 'a', 'd', 'e'].map((id) => at(id, '2026-03-10T08:00:00Z'));
    const now = at('c', '2026-03-10T08:00:00Z');
    for (const others of [same, [...same].reverse()]) {
      expect([previous(now, others), next(now, others)]).toEqual(['b', 'd']);
    }
  });

  it('given any results, then each is the next of its previous', () => {
    const ids = fc.uniqueArray(fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 10, max: 13 })), {
      selector: ([id]) => id,
    });
    fc.assert(
      fc.property(ids, (pairs) => {
        const all = pairs.map(([id, day]) => at(`o-${id}`, `2026-03-${day}`));
        const previousOnes = all.map((one) => previousOf(one.reading, all));
        expect(previousOnes.map((one) => one && nextOf(one.reading, all))).toEqual(
          all.map((one, index) => previousOnes[index] && one),
        );
        expect(previousOnes.filter((one) => one === undefined)).toHaveLength(Math.min(1, all.length));
      }),
    );
  });
});
