import { median, percentile } from '../../bench/statistics.js';

const oneToHundred = Array.from({ length: 100 }, (_, at) => 100 - at);

describe('percentile', () => {
  it.each([
    { given: 'half of 1 to 100', values: oneToHundred, share: 0.5, then: 50 },
    { given: '7 % of 1 to 100', values: oneToHundred, share: 0.07, then: 7 },
    { given: '99 % of 1 to 100', values: oneToHundred, share: 0.99, then: 99 },
    { given: 'a share finer than there are values', values: oneToHundred, share: 0.9999, then: 100 },
    { given: 'a single value', values: [7], share: 0.01, then: 7 },
    { given: 'numbers whose texts sort differently', values: [9, 10, 1], share: 1, then: 10 },
  ])('given $given, then the percentile is $then', ({ values, share, then }) => {
    expect(percentile(values, share)).toBe(then);
  });

  it('given no values, then the percentile is NaN', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('median', () => {
  it.each([
    { given: 'an odd number of values', values: [30, 1, 2], then: 2 },
    { given: 'an even number of values', values: [4, 1, 30, 2], then: 3 },
    { given: 'a single value', values: [5], then: 5 },
  ])('given $given, then the median is $then', ({ values, then }) => {
    expect(median(values)).toBe(then);
  });

  it('given no values, then the median is NaN', () => {
    expect(median([])).toBeNaN();
  });
});
