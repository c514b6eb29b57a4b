type Comparison = 'NumberGreaterThan' | 'NumberGreaterThanOrEquals' | 'NumberLessThan' | 'NumberLessThanOrEquals';
type Text = 'BeginsWith' | 'Contains' | 'EndsWith' | 'In';
type Presence = 'IsNullOrUndefined' | 'IsNotNull';

export type AdvancedFilter = { readonly key: string } & (
  | { readonly operatorType: 'BoolEquals'; readonly value: boolean }
  | { readonly operatorType: Comparison; readonly value: number }
  | { readonly operatorType: 'NumberIn' | 'NumberNotIn'; readonly values: readonly number[] }
  | {
      readonly operatorType: 'NumberInRange' | 'NumberNotInRange';
      readonly values: readonly (readonly [number, number])[];
    }
  | { readonly operatorType: `String${Text}` | `StringNot${Text}`; readonly values: readonly string[] }
  | { readonly operatorType: 'IsNullOrUndefined' }
  | { readonly operatorType: 'IsNotNull' }
);

type Valued = Exclude<AdvancedFilter, { operatorType: Presence }>;

/** These accept an event that lacks the key; the other Not-forms do not. */
const ACCEPT_NOTHING: ReadonlySet<string> = new Set(['NumberNotIn', 'NumberNotInRange', 'StringNotIn']);

/**
 * Returns the test of a filter for a value; undefined stands for a missing value. A value of another type than the
 * operator's fits nothing. A Not-form accepts values that do not fit.
 */
export function acceptsValue(
  filter: AdvancedFilter,
  { lookInArrays }: { lookInArrays: boolean },
): (value: unknown) => boolean {
  if (filter.operatorType === 'IsNullOrUndefined') return isNothing;
  if (filter.operatorType === 'IsNotNull') return (value) => !isNothing(value);
  const fits = fitting(filter);
  const isNot = filter.operatorType.includes('Not');
  const acceptsNothing = ACCEPT_NOTHING.has(filter.operatorType);
  return (value) => {
    if (isNothing(value)) return acceptsNothing;
    if (!Array.isArray(value)) return fits(value) !== isNot;
    // No operator accepts an array, not even a Not-form, unless the filter looks into arrays.
    return lookInArrays && value.some(fits) !== isNot;
  };
}

function fitting(filter: Valued): (value: unknown) => boolean {
  switch (filter.operatorType) {
    case 'BoolEquals':
      return (value) => value === filter.value;
    case 'NumberGreaterThan':
      return number((value) => value > filter.value);
    case 'NumberGreaterThanOrEquals':
      return number((value) => value >= filter.value);
    case 'NumberLessThan':
      return number((value) => value < filter.value);
    case 'NumberLessThanOrEquals':
      return number((value) => value <= filter.value);
    case 'NumberIn':
    case 'NumberNotIn':
      return number((value) => filter.values.includes(value));
    case 'NumberInRange':
    case 'NumberNotInRange':
      return number((value) => filter.values.some(([low, high]) => value >= low && value <= high));
    case 'StringBeginsWith':
    case 'StringNotBeginsWith':
      return text(filter.values, (value, wanted) => value.startsWith(wanted));
    case 'StringContains':
    case 'StringNotContains':
      return text(filter.values, (value, wanted) => value.includes(wanted));
    case 'StringEndsWith':
    case 'StringNotEndsWith':
      return text(filter.values, (value, wanted) => value.endsWith(wanted));
    case 'StringIn':
    case 'StringNotIn':
      return text(filter.values, (value, wanted) => value === wanted);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(filter satisfies never)}`);
  }
}

function number(test: (value: number) => boolean): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && test(value);
}

/** Texts are compared without regard to case, always. */
function text(
  values: readonly string[],
  test: (value: string, wanted: string) => boolean,
): (value: unknown) => boolean {
  const folded = values.map((value) => value.toLowerCase());
  return (value) => {
    if (typeof value !== 'string') return false;
    const lower = value.toLowerCase();
    return folded.some((wanted) => test(lower, wanted));
  };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
