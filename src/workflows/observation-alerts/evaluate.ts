import { evaluateDelta } from './evaluate-delta.js';
import { inUnit } from './in-unit.js';
import { intervalOf, isPast } from './interval.js';
import { type Amount, isCounted, type Reading, type ReferenceRange } from './reading.js';
import type { Limit, Rule } from './rule.js';
import type { Analyte } from './units.js';
import { type Alert, NONE, undecided, type Verdict } from './verdict.js';

/**
 * Returns the verdict of `rule` on `reading`. `previous` is the result that a delta compares with. Only a certain
 * result is an alert: `>=6.0` may or may not be above 6.0, so it is `undecided`.
 */
export function evaluate(rule: Rule, reading: Reading, previous?: Reading): Verdict {
  if (!isCounted(rule, reading)) return NONE;
  const { condition, analyte } = rule;
  if (condition.kind === 'interpretation') return evaluateInterpretation(condition.codes, reading);
  const { value } = reading;
  if (typeof value === 'string') return undecided(value);
  switch (condition.kind) {
    case 'limits':
      return evaluateLimits(condition, value, { by: 'limit', analyte });
    case 'reference-range':
      return evaluateRanges(reading.ranges, value, analyte);
    case 'delta':
      return evaluateDelta({ ...rule, condition }, { ...reading, value }, previous);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(condition satisfies never)}`);
  }
}

function evaluateInterpretation(codes: readonly string[], { interpretations, value }: Reading): Verdict {
  if (interpretations.length === 0) return undecided('no-interpretation');
  const interpretation = codes.find((code) => interpretations.includes(code));
  if (interpretation === undefined) return NONE;
  return { kind: 'alert', by: 'interpretation', interpretation, ...(typeof value !== 'string' && { amount: value }) };
}

function evaluateLimits(
  { limits, unit }: { readonly limits: readonly Limit[]; readonly unit: string | undefined },
  value: Amount,
  { by, analyte }: { by: Alert['by']; analyte: Analyte },
): Verdict {
  const converted = inUnit(value, unit, analyte);
  if (typeof converted === 'string') return undecided(converted);
  const { amount } = converted;
  const answers = limits.map((limit) => ({ limit, answer: isPast(intervalOf(amount), limit) }));
  const past = answers.find(({ answer }) => answer === 'yes')?.limit;
  if (past) return { kind: 'alert', by, amount, side: past.side, threshold: past.value };
  return answers.every(({ answer }) => answer === 'no') ? NONE : undecided('comparator');
}

/** Returns the verdict of all ranges. They must agree: the resource may not say which range is the patient's. */
function evaluateRanges(ranges: readonly ReferenceRange[], value: Amount, analyte: Analyte): Verdict {
  const [first, ...others] = ranges.map((range) => evaluateRange(range, value, analyte));
  if (first === undefined) return undecided('no-reference-range');
  return others.every(({ kind }) => kind === first.kind) ? first : undecided('reference-ranges-disagree');
}

function evaluateRange({ low, high }: ReferenceRange, value: Amount, analyte: Analyte): Verdict {
  const bounds = [
    { side: 'above', bound: high },
    { side: 'below', bound: low },
  ] as const;
  const verdicts = bounds.flatMap(({ side, bound }) => {
    const limits = bound && { limits: [{ side, value: bound.value }], unit: bound.unit };
    return limits ? [evaluateLimits(limits, value, { by: 'reference-range', analyte })] : [];
  });
  return verdicts.find(({ kind }) => kind === 'alert') ?? verdicts.find(({ kind }) => kind === 'undecided') ?? NONE;
}
