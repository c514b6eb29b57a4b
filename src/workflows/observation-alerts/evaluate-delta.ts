import { compareReadings, counts } from './history.js';
import { inUnit } from './in-unit.js';
import { type Answer, type Interval, intervalOf, isPast, minus, times } from './interval.js';
import type { Amount, Reading } from './read-observation.js';
import type { DeltaCondition, Rule } from './rule.js';
import type { Facts, Undecided, Verdict } from './verdict.js';

type Pair = { readonly now: Amount; readonly before: Amount };
type Movement = 'rise' | 'fall';

/**
 * Returns an alert if the value has changed from `previous` by at least the amount of the rule. Without a previous
 * value there is no alert.
 */
export function evaluateDelta(
  rule: Rule,
  condition: DeltaCondition,
  reading: Reading & { readonly value: Amount },
  previous: Reading | undefined,
): Verdict {
  if (reading.subject === undefined) return { kind: 'undecided', reason: 'no-subject' };
  if (reading.takenAt === undefined) return { kind: 'undecided', reason: 'no-time' };
  if (previous?.takenAt === undefined || !counts(rule, previous) || compareReadings(previous, reading) >= 0) {
    return { kind: 'none' };
  }
  if (reading.takenAt.getTime() - previous.takenAt.getTime() > condition.withinMs) return { kind: 'none' };
  if (previous.value.kind === 'none') return { kind: 'undecided', reason: previous.value.reason };

  const pair = comparableAmounts(rule, condition, reading.value, previous.value);
  if (pair.kind === 'undecided') return pair;
  const { movement, isSure } = movementOf(condition, pair);
  if (movement === undefined) return isSure ? { kind: 'none' } : { kind: 'undecided', reason: 'comparator' };
  const { observationId, takenAt } = previous;
  const facts: Facts = {
    by: 'delta',
    amount: pair.now,
    side: condition.by.kind === 'percent' ? `${movement}Percent` : movement,
    threshold: condition.by.kind === 'percent' ? condition.by.percent : condition.by.amount,
    previous: { amount: pair.before, takenAt, observationId },
  };
  return { kind: 'alert', ...facts };
}

/**
 * Returns both amounts in one unit: the rule's, or for percents the unit of the result, and only if its zero means
 * nothing.
 */
function comparableAmounts(
  { analyte }: Rule,
  { by }: DeltaCondition,
  value: Amount,
  previous: Amount,
): ({ readonly kind: 'ok' } & Pair) | Undecided {
  const unit = by.kind === 'amount' ? by.unit : value.unit;
  const now = inUnit(value, unit, analyte);
  const before = inUnit(previous, unit, analyte);
  if (now.kind === 'undecided') return now;
  if (before.kind === 'undecided') return before;
  if (by.kind === 'percent') {
    if (!before.isRatio) return { kind: 'undecided', reason: 'units-not-comparable' };
    if (intervalOf(before.amount).high <= 0) return { kind: 'undecided', reason: 'previous-not-positive' };
  }
  return { kind: 'ok', now: now.amount, before: before.amount };
}

function movementOf(
  { direction, by }: DeltaCondition,
  pair: Pair,
): { movement: Movement | undefined; isSure: boolean } {
  const movements: readonly Movement[] = direction === 'change' ? ['rise', 'fall'] : [direction];
  const answers = movements.map((movement) => ({ movement, answer: hasMoved(movement, by, pair) }));
  return {
    movement: answers.find(({ answer }) => answer === 'yes')?.movement,
    isSure: answers.every(({ answer }) => answer === 'no'),
  };
}

/**
 * Whether the value has moved by the amount or more: `rise: 0.3` alerts at 0.3. The tolerance follows from the larger
 * value.
 */
function hasMoved(movement: Movement, by: DeltaCondition['by'], { now, before }: Pair): Answer {
  const scale = Math.max(Math.abs(now.value), Math.abs(before.value));
  const sign = movement === 'rise' ? 1 : -1;
  const side = movement === 'rise' ? 'atLeast' : 'atMost';
  if (by.kind === 'amount') {
    return isPast(minus(intervalOf(now), intervalOf(before)), { side, value: sign * by.amount }, scale);
  }
  const goal = times(positive(intervalOf(before)), 1 + (sign * by.percent) / 100);
  return isPast(minus(intervalOf(now), goal), { side, value: 0 }, scale);
}

/** Cuts negative values off, because percents are of amounts: `<0.2` is between 0 and 0.2. */
function positive(interval: Interval): Interval {
  return interval.low >= 0 ? interval : { ...interval, low: 0, isLowOpen: true };
}
