import type { AdvancedFilter } from './advanced-filter.js';
import type { Filter } from './filter.js';
import type { Reader } from './reader.js';

const MAX_FILTERS = 25;
const MAX_VALUES = 25;
const MAX_TEXT_LENGTH = 512;
const COMPARISONS = [
  'NumberGreaterThan',
  'NumberGreaterThanOrEquals',
  'NumberLessThan',
  'NumberLessThanOrEquals',
] as const;
const TEXT_OPERATORS = [
  'StringBeginsWith',
  'StringNotBeginsWith',
  'StringContains',
  'StringNotContains',
  'StringEndsWith',
  'StringNotEndsWith',
  'StringIn',
  'StringNotIn',
] as const;
const OPERATORS = [
  'BoolEquals',
  ...COMPARISONS,
  'NumberIn',
  'NumberNotIn',
  'NumberInRange',
  'NumberNotInRange',
  ...TEXT_OPERATORS,
  'IsNullOrUndefined',
  'IsNotNull',
] as const;

export function readFilter(filter: Reader, eventTypes: readonly string[] | undefined): Filter {
  const advancedFilters = filter.objects('advancedFilters', MAX_FILTERS).map(readAdvanced);
  const values = advancedFilters.reduce((sum, each) => sum + valuesOf(each), 0);
  if (values > MAX_VALUES) {
    filter.wrong('advancedFilters', `expected at most ${MAX_VALUES} values in all filters together, found ${values}`);
  }
  return {
    subjectBeginsWith: filter.text('subjectBeginsWith', { or: '' }),
    subjectEndsWith: filter.text('subjectEndsWith', { or: '' }),
    isSubjectCaseSensitive: filter.boolean('isSubjectCaseSensitive', false),
    includedEventTypes: readEventTypes(filter, eventTypes),
    enableAdvancedFilteringOnArrays: filter.boolean('enableAdvancedFilteringOnArrays', false),
    advancedFilters,
  };
}

/** Absent, empty and 'All' mean every type. */
function readEventTypes(filter: Reader, known: readonly string[] | undefined): readonly string[] | null {
  const types = filter.texts('includedEventTypes') ?? [];
  if (types.length === 0 || types.some((type) => type.toLowerCase() === 'all')) return null;
  for (const [n, type] of types.entries()) {
    if (known?.includes(type) === false) {
      filter.wrong(`includedEventTypes[${n}]`, `expected ${known.join(' or ')}, found ${JSON.stringify(type)}`);
    }
  }
  return types;
}

function readAdvanced(filter: Reader): AdvancedFilter {
  const key = filter.text('key', { maxLength: MAX_TEXT_LENGTH });
  const operatorType = filter.oneOf('operatorType', OPERATORS);
  switch (operatorType) {
    case 'BoolEquals':
      return { key, operatorType, value: filter.boolean('value') };
    case 'NumberGreaterThan':
    case 'NumberGreaterThanOrEquals':
    case 'NumberLessThan':
    case 'NumberLessThanOrEquals':
      return { key, operatorType, value: filter.number('value') };
    case 'NumberIn':
    case 'NumberNotIn':
      return { key, operatorType, values: filter.list('values', 'numbers', isNumber) };
    case 'NumberInRange':
    case 'NumberNotInRange':
      return { key, operatorType, values: filter.list('values', 'ranges [low, high]', isRange) };
    case 'IsNullOrUndefined':
    case 'IsNotNull':
      return { key, operatorType };
    case undefined:
      return { key, operatorType: 'IsNotNull' }; // refused: it only stands in its place
    default:
      return {
        key,
        operatorType,
        values: filter.list('values', `texts of up to ${MAX_TEXT_LENGTH} characters`, isText),
      };
  }
}

function valuesOf(filter: AdvancedFilter): number {
  if ('values' in filter) return filter.values.length;
  return 'value' in filter ? 1 : 0;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}

function isRange(value: unknown): value is readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high]: unknown[] = value;
  return isNumber(low) && isNumber(high) && low <= high;
}
