import { inUnit } from './in-unit.js';
import { type Answer, type Interval, intervalOf, isPast, minus, times } from './interval.js';
import { type Amount, compareMoments, isCounted, type Reading } from './reading.js';
import type { DeltaCondition, DeltaRule, Movement } from './rule.js';
import { NONE, type UndecidedReason, undecided, type Verdict } from './verdict.js';

type Pair = { readonly now: Amount; readonly before: Amount };

/**
 * Returns an alert if the value has changed from `previous` by at least the amount of the rule. Without a previous
 * value there is no alert.
 */
export function evaluateDelta(
  rule: DeltaRule,
  reading: Reading & { readonly value: Amount },
  previous: Reading | undefined,
): Verdict {
  const { condition } = rule;
  if (reading.subject === undefined) return undecided('no-subject');
  if (reading.takenAt === undefined) return undecided('no-time');
  if (previous?.takenAt === undefined || !isCounted(rule, previous) || compareMoments(previous, reading) >= 0)
    return NONE;
  if (reading.takenAt.getTime() - previous.takenAt.getTime() > condition.withinMs) return NONE;
  if (typeof previous.value === 'string') return undecided(previous.value);

  const pair = comparableAmounts(rule, reading.value, previous.value);
  if (typeof pair === 'string') return undecided(pair);
  const answers = condition.movements.map((movement) => ({ movement, answer: hasMoved(movement, condition, pair) }));
  const movement = answers.find(({ answer }) => answer === 'yes')?.movement;
  if (movement === undefined) return answers.every(({ answer }) => answer === 'no') ? NONE : undecided('comparator');
  const { observationId, takenAt } = previous;
  return {
    kind: 'alert',
    by: 'delta',
    amount: pair.now,
    side: condition.unit === undefined ? `${movement}Percent` : movement,
    threshold: condition.size,
    previous: { amount: pair.before, takenAt, observationId },
  };
}

/**
 * Returns both amounts in one unit: the rule's, or for percents the unit of the result, and only if its zero means
 * nothing; or why they cannot be compared.
 */
function comparableAmounts({ analyte, condition }: DeltaRule, value: Amount, previous: Amount): Pair | UndecidedReason {
  const unit = condition.unit ?? value.unit;
  const now = inUnit(value, unit, analyte);
  const before = inUnit(previous, unit, analyte);
  if (typeof now === 'string') return now;
  if (typeof before === 'string') return before;
  if (condition.unit === undefined) {
    if (!before.isRatio) return 'units-not-comparable';
    if (intervalOf(before.amount).high <= 0) return 'previous-not-positive';
  }
  return { now: now.amount, before: before.amount };
}

/**
 * Returns whether the value has moved by the amount or more: `rise: 0.3` alerts at 0.3. The tolerance follows from the
 * larger value.
 */
function hasMoved(movement: Movement, { size, unit }: DeltaCondition, { now, before }: Pair): Answer {
  const scale = Math.max(Math.abs(now.value), Math.abs(before.value));
  const [sign, side] = movement === 'rise' ? ([1, 'atLeast'] as const) : ([-1, 'atMost'] as const);
  if (unit !== undefined)
    return isPast(minus(intervalOf(now), intervalOf(before)), { side, value: sign * size }, scale);
  const goal = times(cutNegative(intervalOf(before)), 1 + (sign * size) / 100);
  return isPast(minus(intervalOf(now), goal), { side, value: 0 }, scale);
}

/** Cuts negative values off, because percents are of amounts: `<0.2` is between 0 and 0.2. */
function cutNegative(interval: Interval): Interval {
  return interval.low >= 0 ? interval : { ...interval, low: 0, isLowOpen: true };
}
