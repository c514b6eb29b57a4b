import type { Amount } from './read-observation.js';
import type { Limit } from './rule.js';

/** Where a value certainly is: `>6.0` is all from 6.0 on, without it. */
export type Interval = {
  readonly low: number;
  readonly high: number;
  readonly isLowOpen: boolean;
  readonly isHighOpen: boolean;
};

export type Side = 'above' | 'atLeast' | 'below' | 'atMost';
/** `unsure`: some of what the value may be is past the limit, and some is not. */
export type Answer = 'yes' | 'no' | 'unsure';

/**
 * Two values are the same when they differ by less than this part of the larger: more than arithmetic and conversion
 * leave behind, less than any laboratory can tell apart.
 */
const SAME = 1e-9;

export function intervalOf({ value, comparator }: Pick<Amount, 'value' | 'comparator'>): Interval {
  return {
    low: comparator === '<' || comparator === '<=' ? Number.NEGATIVE_INFINITY : value,
    high: comparator === '>' || comparator === '>=' ? Number.POSITIVE_INFINITY : value,
    isLowOpen: comparator === '>',
    isHighOpen: comparator === '<',
  };
}

/** Whether all of `interval` is past the limit, or none of it. `scale`: of the values that the interval was made of. */
export function isPast(interval: Interval, { side, value }: Limit<Side>, scale = 0): Answer {
  switch (side) {
    case 'above':
      return isAbove(interval, value, scale);
    case 'below':
      return isAbove(times(interval, -1), -value, scale);
    case 'atLeast':
      return opposite(isAbove(times(interval, -1), -value, scale));
    case 'atMost':
      return opposite(isAbove(interval, value, scale));
    default:
      throw new TypeError(`unhandled ${JSON.stringify(side satisfies never)}`);
  }
}

/** Past any of them: certain where one is, or where none can be. */
export function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unsure') ? 'unsure' : 'no';
}

export function minus(a: Interval, b: Interval): Interval {
  return {
    low: a.low - b.high,
    high: a.high - b.low,
    isLowOpen: a.isLowOpen || b.isHighOpen,
    isHighOpen: a.isHighOpen || b.isLowOpen,
  };
}

export function times({ low, high, isLowOpen, isHighOpen }: Interval, factor: number): Interval {
  if (factor === 0) return { low: 0, high: 0, isLowOpen: false, isHighOpen: false };
  if (factor > 0) return { low: low * factor, high: high * factor, isLowOpen, isHighOpen };
  return { low: high * factor, high: low * factor, isLowOpen: isHighOpen, isHighOpen: isLowOpen };
}

function isAbove({ low, high, isLowOpen }: Interval, limit: number, scale: number): Answer {
  const atLow = compare(low, limit, scale);
  if (atLow > 0 || (atLow === 0 && isLowOpen)) return 'yes';
  return compare(high, limit, scale) <= 0 ? 'no' : 'unsure';
}

function opposite(answer: Answer): Answer {
  if (answer === 'unsure') return answer;
  return answer === 'yes' ? 'no' : 'yes';
}

function compare(a: number, b: number, scale: number): number {
  const tolerance = Number.isFinite(a) ? SAME * Math.max(Math.abs(a), Math.abs(b), scale) : 0;
  return Math.abs(a - b) <= tolerance ? 0 : Math.sign(a - b);
}
