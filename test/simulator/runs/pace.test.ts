import { dueBy } from '../../../src/simulator/runs/pace.js';

describe('when a run makes events at a rate', () => {
  it.each([
    { given: 'an even flow', elapsedMs: 1500, rate: 200, burstMs: 0, due: 300 },
    { given: 'its very beginning', elapsedMs: 0, rate: 200, burstMs: 0, due: 0 },
    { given: 'bursts, within the first', elapsedMs: 499, rate: 200, burstMs: 500, due: 0 },
    { given: 'bursts, when one is due', elapsedMs: 500, rate: 200, burstMs: 500, due: 100 },
    { given: 'bursts, long after', elapsedMs: 1900, rate: 200, burstMs: 500, due: 300 },
  ])('given $given, then $due are due', ({ elapsedMs, rate, burstMs, due }) => {
    expect(dueBy(elapsedMs, { rate, burstMs })).toBe(due);
  });
});
