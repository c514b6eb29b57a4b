import type { Amount } from './reading.js';
import type { Limit } from './rule.js';

/** The range that a value is certainly in: `>6.0` is everything above 6.0, without 6.0. */
export type Interval = {
  readonly low: number;
  readonly high: number;
  readonly isLowOpen: boolean;
  readonly isHighOpen: boolean;
};

/** `unsure`: some values of the interval are past the limit and some are not. */
export type Answer = 'yes' | 'no' | 'unsure';

/**
 * Two values are equal if they differ by less than this part of the larger: more than the error of arithmetic and
 * conversion, less than a laboratory can measure.
 */
const SAME = 1e-9;
const OPPOSITE: Readonly<Record<Answer, Answer>> = { yes: 'no', no: 'yes', unsure: 'unsure' };

/** Returns the interval that the comparator of an amount leaves open. */
export function intervalOf({ value, comparator }: Amount): Interval {
  return {
    low: comparator === '<' || comparator === '<=' ? Number.NEGATIVE_INFINITY : value,
    high: comparator === '>' || comparator === '>=' ? Number.POSITIVE_INFINITY : value,
    isLowOpen: comparator === '>',
    isHighOpen: comparator === '<',
  };
}

/**
 * Returns whether all, some or no values of `interval` are past the limit. `scale` is the size of the values that made
 * the interval.
 */
export function isPast(interval: Interval, { side, value }: Limit, scale = 0): Answer {
  const isUp = side === 'above' || side === 'atMost';
  const answer = isUp ? isAbove(interval, value, scale) : isAbove(times(interval, -1), -value, scale);
  return side === 'above' || side === 'below' ? answer : OPPOSITE[answer];
}

/** Returns the interval of all differences between a value of `a` and a value of `b`. */
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

function compare(a: number, b: number, scale: number): number {
  const tolerance = Number.isFinite(a) ? SAME * Math.max(Math.abs(a), Math.abs(b), scale) : 0;
  return Math.abs(a - b) <= tolerance ? 0 : Math.sign(a - b);
}
