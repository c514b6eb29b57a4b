import * as z from 'zod';
import { expected, formBy, object, text } from './values.js';

const MAX_TEXT_LENGTH = 512;
const TEXTS = `texts of up to ${MAX_TEXT_LENGTH} characters`;

/** A filter in the property names of the Azure resource. The operator compares with `value` or `values`. */
export type AdvancedFilter = {
  readonly key: string;
  readonly operatorType: OperatorType;
  readonly value?: unknown;
  readonly values?: readonly unknown[];
};
type OperatorType = keyof typeof OPERATORS;

type Operator = {
  /** The properties that the operator compares with. */
  readonly wanted: z.ZodRawShape;
  /** Returns whether an event's value fits one wanted value, both in lower case. A value of another type fits nothing. */
  readonly fits: (value: unknown, wanted: unknown) => boolean;
};

const isIn: Operator = {
  wanted: { values: list(z.number(expected('numbers')), 'numbers') },
  fits: (value, wanted) => value === wanted,
};
const isInRange: Operator = {
  wanted: { values: list(z.custom(isRange, expected('ranges [low, high]')), 'ranges [low, high]') },
  fits(value, wanted) {
    const [low, high] = wanted as readonly [number, number];
    return isNumber(value) && value >= low && value <= high;
  },
};
const beginsWith = comparingTexts((value, wanted) => value.startsWith(wanted));
const contains = comparingTexts((value, wanted) => value.includes(wanted));
const endsWith = comparingTexts((value, wanted) => value.endsWith(wanted));
const equals = comparingTexts((value, wanted) => value === wanted);
const isPresent: Operator = { wanted: {}, fits: () => true };

/** A Not-form has the operator of its plain form: `acceptsValue` negates it. */
const OPERATORS = {
  BoolEquals: { wanted: { value: z.boolean(expected('true or false')) }, fits: (value, wanted) => value === wanted },
  NumberGreaterThan: comparingNumbers((value, wanted) => value > wanted),
  NumberGreaterThanOrEquals: comparingNumbers((value, wanted) => value >= wanted),
  NumberLessThan: comparingNumbers((value, wanted) => value < wanted),
  NumberLessThanOrEquals: comparingNumbers((value, wanted) => value <= wanted),
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

/** The schema of one advanced filter. */
export const advancedFilterSchema = formBy(
  'operatorType',
  Object.keys(OPERATORS),
  Object.entries<Operator>(OPERATORS).map(([name, { wanted }]) =>
    object({ key: text(MAX_TEXT_LENGTH), operatorType: z.literal(name), ...wanted }),
  ),
).transform((filter) => filter as AdvancedFilter);

/** Returns the function that tests a value; undefined stands for a missing value. */
export function acceptsValue(filter: AdvancedFilter, looksInArrays: boolean): (value: unknown) => boolean {
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
    return looksInArrays && value.some(fitsOne) !== isNot;
  };
}

function comparingNumbers(fits: (value: number, wanted: number) => boolean): Operator {
  return {
    wanted: { value: z.number(expected('a number')) },
    fits: (value, wanted) => isNumber(value) && fits(value, wanted as number),
  };
}

function comparingTexts(fits: (value: string, wanted: string) => boolean): Operator {
  return {
    wanted: { values: list(z.string(expected(TEXTS)).max(MAX_TEXT_LENGTH, expected(TEXTS)), TEXTS) },
    fits: (value, wanted) => typeof value === 'string' && fits(value, wanted as string),
  };
}

function list(item: z.ZodType, what: string) {
  return z.array(item, expected(`a list of ${what}`)).min(1, expected(`a list of ${what}`));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isRange(value: unknown): boolean {
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
