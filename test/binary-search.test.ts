import fc from 'fast-check';
import { firstNotBefore } from '../src/binary-search.js';

describe('when a sorted list is searched', () => {
  it('given any list and value, then the result is the index of the first item that is not less', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: -1, max: 21 }), (items, value) => {
        const sorted = items.toSorted((a, b) => a - b);

        const found = firstNotBefore(0, sorted.length, (at) => (sorted[at] as number) < value);

        const expected = sorted.findIndex((item) => item >= value);
        expect(found).toBe(expected < 0 ? sorted.length : expected);
      }),
    );
  });
});
