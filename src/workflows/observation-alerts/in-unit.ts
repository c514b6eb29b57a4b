import type { Amount } from './reading.js';
import { type Analyte, applyConversion, conversionOf } from './units.js';
import { type Undecided, undecided } from './verdict.js';

/** Units whose zero is not nothing: a percent of them has no meaning. */
const NOT_RATIO = new Set<string | undefined>(['Cel', '[degF]', '[degRe]']);
/** The unit of counts, which have no dimension. */
const ONE = '1';

/** Returns `amount` in `unit`. A missing unit is equal to a missing unit and to 1, and to nothing else. */
export function inUnit(
  amount: Amount,
  unit: string | undefined,
  analyte: Analyte,
): { readonly kind: 'ok'; readonly amount: Amount; readonly isRatio: boolean } | Undecided {
  const from = amount.unit ?? (unit === ONE ? ONE : undefined);
  if (from === unit) return { kind: 'ok', amount: { ...amount, unit }, isRatio: !NOT_RATIO.has(unit) };
  if (from === undefined || unit === undefined) return undecided('unit-missing');
  const conversion = conversionOf(from, unit, analyte);
  if (conversion.kind === 'unknown-unit') return undecided('unit-unknown');
  if (conversion.kind === 'not-comparable') return undecided('units-not-comparable');
  const value = applyConversion(conversion, amount.value);
  if (!Number.isFinite(value)) return undecided('not-a-number');
  return { kind: 'ok', amount: { ...amount, value, unit }, isRatio: conversion.offset === 0 && !NOT_RATIO.has(unit) };
}
