import type { Amount } from './reading.js';
import { type Analyte, applyConversion, conversionOf } from './units.js';
import type { UndecidedReason } from './verdict.js';

/** Units whose zero is not nothing: a percent of them has no meaning. */
const NOT_RATIO = new Set<string | undefined>(['Cel', '[degF]', '[degRe]']);
/** The unit of counts, which have no dimension. */
const ONE = '1';

/** An amount in another unit. A percent has a meaning if `isRatio`. */
type InUnit = { readonly amount: Amount; readonly isRatio: boolean };

/**
 * Returns `amount` in `unit`, or why it cannot be converted. A missing unit is equal to a missing unit and to 1, and to
 * nothing else.
 */
export function inUnit(amount: Amount, unit: string | undefined, analyte: Analyte): InUnit | UndecidedReason {
  const from = amount.unit ?? (unit === ONE ? ONE : undefined);
  if (from === unit) return { amount: { ...amount, unit }, isRatio: !NOT_RATIO.has(unit) };
  if (from === undefined || unit === undefined) return 'unit-missing';
  const conversion = conversionOf(from, unit, analyte);
  if (typeof conversion === 'string') return conversion;
  const value = applyConversion(conversion, amount.value);
  if (!Number.isFinite(value)) return 'not-a-number';
  return { amount: { ...amount, value, unit }, isRatio: conversion.offset === 0 && !NOT_RATIO.has(unit) };
}
