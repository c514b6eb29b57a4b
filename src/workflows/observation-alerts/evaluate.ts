import { evaluateDelta } from './evaluate-delta.js';
import { counts } from './history.js';
import { amountOf, inUnit } from './in-unit.js';
import { anyOf, intervalOf, isPast, type Side } from './interval.js';
import type { Amount, Reading, ReferenceRange } from './read-observation.js';
import type { Limit, LimitsCondition, Rule } from './rule.js';
import type { Facts, Verdict } from './verdict.js';

/**
 * Returns the verdict of `rule` on `reading`. `previous` is the result that a delta compares with (`previousOf`). Only
 * a certain result is an alert: `>=6.0` may or may not be above 6.0, so it is `undecided`.
 */
export function evaluate(rule: Rule, reading: Reading, previous?: Reading): Verdict {
  if (!counts(rule, reading)) return { kind: 'none' };
  const { condition } = rule;
  if (condition.kind === 'interpretation') return evaluateInterpretation(condition.codes, reading);
  const { value } = reading;
  if (value.kind === 'none') return { kind: 'undecided', reason: value.reason };
  switch (condition.kind) {
    case 'limits':
      return evaluateLimits(rule, condition, value);
    case 'reference-range':
      return evaluateRanges(rule, value, reading.ranges);
    case 'delta':
      return evaluateDelta(rule, condition, { ...reading, value }, previous);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(condition satisfies never)}`);
  }
}

function evaluateInterpretation(codes: readonly string[], { interpretations, value }: Reading): Verdict {
  if (interpretations.length === 0) return { kind: 'undecided', reason: 'no-interpretation' };
  const interpretation = codes.find((code) => interpretations.includes(code));
  if (interpretation === undefined) return { kind: 'none' };
  const amount = value.kind === 'number' ? amountOf(value) : undefined;
  return { kind: 'alert', by: 'interpretation', interpretation, ...(amount && { amount }) };
}

function evaluateLimits({ analyte }: Rule, { upper, lower, unit }: LimitsCondition, value: Amount): Verdict {
  const converted = inUnit(value, unit, analyte);
  if (converted.kind === 'undecided') return converted;
  return pastLimits('limit', converted.amount, [upper, lower]);
}

function pastLimits(
  by: Facts['by'] & ('limit' | 'reference-range'),
  amount: Amount,
  limits: readonly (Limit<Side> | undefined)[],
): Verdict {
  const answers = limits.flatMap((limit) => (limit ? { limit, answer: isPast(intervalOf(amount), limit) } : []));
  const past = answers.find(({ answer }) => answer === 'yes');
  if (past) return { kind: 'alert', by, amount, side: past.limit.side, threshold: past.limit.value };
  const isSure = anyOf(answers.map(({ answer }) => answer)) === 'no';
  return isSure ? { kind: 'none' } : { kind: 'undecided', reason: 'comparator' };
}

/** All ranges must agree if the resource does not say which range is the patient's. */
function evaluateRanges(rule: Rule, value: Amount, ranges: readonly ReferenceRange[]): Verdict {
  const [first, ...others] = ranges.map((range) => evaluateRange(rule, value, range));
  if (first === undefined) return { kind: 'undecided', reason: 'no-reference-range' };
  return others.every(({ kind }) => kind === first.kind)
    ? first
    : { kind: 'undecided', reason: 'reference-ranges-disagree' };
}

function evaluateRange({ analyte }: Rule, value: Amount, { low, high }: ReferenceRange): Verdict {
  const verdicts = [pastBound('above', value, high), pastBound('below', value, low)];
  const rank = (kind: Verdict['kind']) => ['alert', 'undecided', 'none'].indexOf(kind);
  return verdicts.sort((a, b) => rank(a.kind) - rank(b.kind))[0] ?? { kind: 'none' };

  function pastBound(side: Side, amount: Amount, bound: Amount | undefined): Verdict {
    if (bound === undefined) return { kind: 'none' };
    const converted = inUnit(amount, bound.unit, analyte);
    if (converted.kind === 'undecided') return converted;
    return pastLimits('reference-range', converted.amount, [{ side, value: bound.value }]);
  }
}
