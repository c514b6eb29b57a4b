import * as api from '../../src/api/overview.js';
import {
  bucketOf,
  DURATION_BOUNDS,
  type Hour,
  LAG_BOUNDS,
  lagsOf,
  MINUTE_INDEX,
  minutesOf,
  quantileOf,
  WORKFLOW_INDEX,
  workflowHourOf,
} from '../../src/instances/hour.js';
import { seededRandom } from '../../src/simulator/seeded.js';

const NOW = new Date('2026-01-01T12:00:30.000Z');
const MINUTE = NOW.getTime() / 60_000 - 0.5;
const SPAN = Math.floor(MINUTE / 10);

function hourOf(minutes: [ago: number, counts: number[]][], spans: Hour['spans'] = new Map()): Hour {
  return { minutes: new Map(minutes.map(([ago, counts]) => [MINUTE - ago, counts])), spans, eventsPerSecond: 0 };
}

/** A minute with these lags. */
function withLags(...lags: number[]): number[] {
  const counts = new Array<number>(MINUTE_INDEX.end).fill(0);
  for (const lag of lags) {
    const at = MINUTE_INDEX.lags + bucketOf(lag, LAG_BOUNDS);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

function countsOf(values: readonly number[], bounds: readonly number[]): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const value of values) counts[bucketOf(value, bounds)] = (counts[bucketOf(value, bounds)] ?? 0) + 1;
  return counts;
}

describe('when a quantile is taken from buckets', () => {
  const random = seededRandom(16);
  const shapes = {
    'fast, with a slow tail': () => (random.number() < 0.97 ? random.number() * 0.3 : random.number() * 90),
    'log-normal': () => Math.exp(3 * (random.number() + random.number() + random.number() - 1.5)),
    'all alike': () => 2,
    'around 5 s': () => 4.9 + random.number() / 5,
    'some of hours': () => random.number() * 8000,
  };

  it.each(Object.entries(shapes).flatMap(([given, value]) => [0.5, 0.99].map((q) => ({ given, value, q }))))(
    'given values $given, then quantile $q is in the bucket of the exact one',
    ({ value, q }) => {
      const values = Array.from({ length: 5000 }, value).sort((a, b) => a - b);
      const exact = values[Math.ceil(q * values.length) - 1] ?? Number.NaN;
      const bucket = bucketOf(exact, LAG_BOUNDS);

      const found = quantileOf(q, countsOf(values, LAG_BOUNDS), LAG_BOUNDS);

      expect(found).toBeGreaterThanOrEqual(LAG_BOUNDS[bucket - 1] ?? 0);
      expect(found).toBeLessThanOrEqual(LAG_BOUNDS[bucket] ?? LAG_BOUNDS.at(-1) ?? 0);
    },
  );

  it.each([
    { given: 'no values', counts: [0, 0, 0], q: 0.5, expected: null },
    { given: 'one value', counts: [0, 1, 0], q: 0.5, expected: 1.5 },
    { given: 'values in one bucket', counts: [0, 100, 0], q: 0.99, expected: 1.99 },
    { given: 'values above the highest bound', counts: [0, 0, 9], q: 0.99, expected: 2 },
    { given: 'a half in each of two buckets', counts: [2, 2, 0], q: 0.5, expected: 1 },
  ])('given $given, then the quantile is $expected', ({ counts, q, expected }) => {
    expect(quantileOf(q, counts, [1, 2])).toBe(expected);
  });

  it('given the bounds, then they rise, and the promises of 1 s and 5 s are among them', () => {
    for (const bounds of [LAG_BOUNDS, DURATION_BOUNDS]) expect([...bounds].sort((a, b) => a - b)).toEqual(bounds);

    expect(LAG_BOUNDS).toEqual(expect.arrayContaining([1, 5]));
    expect([1, 1.0001, 5, 5.0001].map((lag) => bucketOf(lag, LAG_BOUNDS))).toEqual([6, 7, 9, 10]);
  });
});

describe('when the hours of instances are added up', () => {
  it('given no numbers, then there are 60 empty minutes, of which the last is not over yet', () => {
    const minutes = api.minutes.parse(minutesOf([], NOW));

    expect(Object.values(minutes).map(({ length }) => length)).toEqual(new Array(9).fill(60));
    expect([minutes.at[0], minutes.at[59]]).toEqual([
      Date.parse('2026-01-01T11:01:00.000Z') / 1000,
      Date.parse('2026-01-01T12:00:00.000Z') / 1000,
    ]);
    expect(new Set([...minutes.events, ...minutes.lagP99])).toEqual(new Set([0, null]));
  });

  it('given two instances, then each minute has the sum of both, and minutes out of the hour are left out', () => {
    const one = hourOf([
      [0, [1, 2, 3, 4, 5, 6]],
      [59, [10]],
      [60, [1000]],
    ]);
    const other = hourOf([
      [0, [10, 20, 30, 40, 50, 60]],
      [-1, [1000]],
    ]);

    const minutes = minutesOf([one, other], NOW);

    expect(Object.fromEntries(Object.entries(minutes).map(([name, column]) => [name, column.at(-1)]))).toMatchObject({
      ...{ events: 11, completed: 22, superseded: 33, deadLettered: 44, retried: 55, missing: 66 },
    });
    expect(minutes.events.reduce((sum, count) => sum + count, 0)).toBe(21);
    expect(minutes.events[0]).toBe(10);
  });

  it('given lags in two instances, then quantiles are of all lags, not of the quantiles', () => {
    const one = hourOf([[1, withLags(...new Array(99).fill(0.03))]]);
    const other = hourOf([[1, withLags(4, 4, 4)]]);

    const { lagP50, lagP99 } = minutesOf([one, other], NOW);

    expect(lagP50.at(-2)).toBeLessThan(0.04);
    expect(lagP99.at(-2)).toBeGreaterThan(3);
  });

  it('given lags of the present minute, then they are not among those of the last full minutes', () => {
    const hour = hourOf([0, 1, 5, 6].map((ago) => [ago, withLags(10)]));

    expect(lagsOf([hour], NOW, 5).reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it('given a workflow in spans of two instances, then its last hour has the sums, without spans that are over', () => {
    const counts = [1, 2, 3, 4, ...countsOf([0.02, 0.02, 0.02], DURATION_BOUNDS)];
    const spans = (...numbers: number[]) => new Map(numbers.map((span) => [span, new Map([['note', counts]])]));

    const found = workflowHourOf('note', [hourOf([], spans(SPAN, SPAN - 5)), hourOf([], spans(SPAN - 6, SPAN))], NOW);

    expect(counts).toHaveLength(WORKFLOW_INDEX.end);
    expect(found).toEqual({
      ...{ completed: 3, superseded: 6, deadLettered: 9, retried: 12 },
      ...{ durationP50: 0.0175, durationP99: 0.0249 },
    });
  });

  it('given a workflow that has done nothing, then it has no durations', () => {
    expect(workflowHourOf('note', [hourOf([])], NOW)).toMatchObject({ completed: 0, durationP50: null });
  });
});
