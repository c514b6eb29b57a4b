import type { Reader } from './reader.js';

const MAX_TEXT_LENGTH = 512;
const TEXTS = `texts of up to ${MAX_TEXT_LENGTH} characters`;

/** A filter in the property names of the Azure resource. The operator compares with `value` or `values`. */
export type AdvancedFilter = { readonly key: string; readonly operatorType: OperatorType } & Wanted;
type Wanted = { readonly value?: unknown; readonly values?: readonly unknown[] };
type OperatorType = keyof typeof OPERATORS;

type Operator = {
  readonly read: (filter: Reader) => Wanted;
  /** Returns whether an event's value fits one wanted value, both in lower case. A value of another type fits nothing. */
  readonly fits: (value: unknown, wanted: unknown) => boolean;
};

const isIn: Operator = {
  read: (filter) => ({ values: filter.list('values', 'numbers', isNumber) }),
  fits: (value, wanted) => value === wanted,
};
const isInRange: Operator = {
  read: (filter) => ({ values: filter.list('values', 'ranges [low, high]', isRange) }),
  fits(value, wanted) {
    const [low, high] = wanted as readonly [number, number];
    return isNumber(value) && value >= low && value <= high;
  },
};
const beginsWith = text((value, wanted) => value.startsWith(wanted));
const contains = text((value, wanted) => value.includes(wanted));
const endsWith = text((value, wanted) => value.endsWith(wanted));
const equals = text((value, wanted) => value === wanted);
const isPresent: Operator = { read: () => ({}), fits: () => true };

/** A Not-form has the operator of its plain form: `acceptsValue` negates it. */
const OPERATORS = {
  BoolEquals: { read: (filter) => ({ value: filter.boolean('value') }), fits: (value, wanted) => value === wanted },
  NumberGreaterThan: number((value, wanted) => value > wanted),
  NumberGreaterThanOrEquals: number((value, wanted) => value >= wanted),
  NumberLessThan: number((value, wanted) => value < wanted),
  NumberLessThanOrEquals: number((value, wanted) => value <= wanted),
  NumberIn: isIn,
  NumberNotIn: isIn,
  NumberInRange: isInRange,
  NumberNotInRange: isInRange,
  StringBeginsWith: beginsWith,
  StringNotBeginsWith: beginsWith,
  StringContains: contains,
  StringNotContains: contains,
  StringEndsWith: endsWith,
  StringNotEndsWith: endsWith,
  StringIn: equals,
  StringNotIn: equals,
  IsNullOrUndefined: isPresent,
  IsNotNull: isPresent,
} satisfies Record<string, Operator>;

/** These operators accept an event without the key. The other Not-forms do not. */
const ACCEPT_NOTHING: readonly OperatorType[] = ['NumberNotIn', 'NumberNotInRange', 'StringNotIn'];

/** Reads one advanced filter. Wrong values become problems of `filter`. */
export function readAdvancedFilter(filter: Reader): AdvancedFilter {
  const key = filter.text('key', { maxLength: MAX_TEXT_LENGTH });
  const found = filter.oneOf('operatorType', Object.keys(OPERATORS) as OperatorType[]);
  const operatorType = found ?? 'IsNotNull'; // a wrong operator is refused: this one only stands in its place
  return { key, operatorType, ...OPERATORS[operatorType].read(filter) };
}

/** Returns the test of a filter for a value; undefined stands for a missing value. */
export function acceptsValue(filter: AdvancedFilter, of: { lookInArrays: boolean }): (value: unknown) => boolean {
  const { operatorType, value: single, values = [single] } = filter;
  if (operatorType === 'IsNullOrUndefined') return isNothing;
  if (operatorType === 'IsNotNull') return (value) => !isNothing(value);
  const wanted = values.map(fold);
  const fitsOne = (value: unknown) => wanted.some((one) => OPERATORS[operatorType].fits(fold(value), one));
  const isNot = operatorType.includes('Not');
  return (value) => {
    if (isNothing(value)) return ACCEPT_NOTHING.includes(operatorType);
    if (!Array.isArray(value)) return fitsOne(value) !== isNot;
    // No operator accepts an array, not even a Not-form, unless the filter looks into arrays.
    return of.lookInArrays && value.some(fitsOne) !== isNot;
  };
}

function number(fits: (value: number, wanted: number) => boolean): Operator {
  return {
    read: (filter) => ({ value: filter.number('value') }),
    fits: (value, wanted) => isNumber(value) && fits(value, wanted as number),
  };
}

function text(fits: (value: string, wanted: string) => boolean): Operator {
  return {
    read: (filter) => ({ values: filter.list('values', TEXTS, isShortText) }),
    fits: (value, wanted) => typeof value === 'string' && fits(value, wanted as string),
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}

function isRange(value: unknown): value is readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high]: unknown[] = value;
  return isNumber(low) && isNumber(high) && low <= high;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Texts are compared without regard to case, always. */
function fold(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
