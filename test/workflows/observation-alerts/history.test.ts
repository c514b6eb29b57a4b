import fc from 'fast-check';
import type { Observation } from 'fhir/r4.js';
import { compareReadings, nextOf, previousOf } from '../../../src/workflows/observation-alerts/history.js';
import { quantity, reading, ruleOf } from './observations.js';

const RULE = ruleOf({ rise: 1, unit: 'mmol/L', within: '48h' });

const at = (id: string, effectiveDateTime: string, fields: Partial<Observation> = {}) =>
  reading(RULE, { id, effectiveDateTime, valueQuantity: quantity('4 mmol/L'), ...fields });

const NOW = at('now', '2026-03-10T08:00:00Z');
const OTHERS = [
  at('first', '2026-03-08T08:00:00Z'),
  at('third', '2026-03-11T08:00:00Z'),
  at('second', '2026-03-09T08:00:00Z'),
  at('fourth', '2026-03-12T08:00:00Z'),
];

describe('when a result is put among the others of its patient', () => {
  it('given earlier and later ones, then the nearest of each', () => {
    expect(previousOf(RULE, NOW, OTHERS)?.observationId).toBe('second');
    expect(nextOf(RULE, NOW, OTHERS)?.observationId).toBe('third');
  });

  it('given none, then none', () => {
    expect(previousOf(RULE, NOW, [])).toBeUndefined();
    expect(nextOf(RULE, NOW, [])).toBeUndefined();
    expect(nextOf(RULE, NOW, [at('x', '')])).toBeUndefined();
    expect(previousOf(RULE, at('x', ''), OTHERS)).toBeUndefined();
  });

  it.each([
    { what: 'of somebody else', fields: { subject: { reference: 'Patient/p-2' } } },
    { what: 'of nobody', fields: { subject: {} } },
    { what: 'without a number', fields: { valueQuantity: {} } },
    { what: 'without a time', fields: { effectiveDateTime: '' } },
    { what: 'entered in error', fields: { status: 'entered-in-error' as const } },
    { what: 'cancelled', fields: { status: 'cancelled' as const } },
    { what: 'another version of it', fields: { id: 'now' } },
  ])('given the nearest is $what, then the one before is the previous result', ({ fields }) => {
    const [earlier, later] = [at('x', '2026-03-10T07:00:00Z', fields), at('x', '2026-03-10T09:00:00Z', fields)];
    expect(previousOf(RULE, NOW, [...OTHERS, earlier])?.observationId).toBe('second');
    expect(nextOf(RULE, NOW, [...OTHERS, later])?.observationId).toBe('third');
  });

  it('given a preliminary result, then it counts if the rule takes it', () => {
    const strict = ruleOf({ rise: 1, unit: 'mmol/L', within: '48h', preliminary: false });
    const others = [...OTHERS, at('near', '2026-03-10T07:00:00Z', { status: 'preliminary' })];
    expect(previousOf(RULE, NOW, others)?.observationId).toBe('near');
    expect(previousOf(strict, NOW, others)?.observationId).toBe('second');
  });

  it('given results at the same time, then they are in the order of their ids, whatever came first', () => {
    const same = [at('b', '2026-03-10T08:00:00Z'), at('a', '2026-03-10T08:00:00Z')];
    const now = at('c', '2026-03-10T08:00:00Z');
    for (const others of [same, [...same].reverse()]) expect(previousOf(RULE, now, others)?.observationId).toBe('b');
  });

  it('given any of them, then each is the next of its previous', () => {
    const ids = fc.uniqueArray(fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 10, max: 13 })), {
      selector: ([id]) => id,
    });
    fc.assert(
      fc.property(ids, (pairs) => {
        const all = pairs.map(([id, day]) => at(`o-${id}`, `2026-03-${day}`));
        for (const one of all) {
          const previous = previousOf(RULE, one, all);
          if (previous) {
            expect(compareReadings(previous, one)).toBeLessThan(0);
            expect(nextOf(RULE, previous, all)).toBe(one);
          }
        }
        expect(all.filter((one) => previousOf(RULE, one, all) === undefined)).toHaveLength(Math.min(1, all.length));
      }),
    );
  });
});
