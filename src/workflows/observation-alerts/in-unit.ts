import type { Amount } from './read-observation.js';
import { type Analyte, applyConversion, conversionOf } from './units.js';
import type { Undecided } from './verdict.js';

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
  if (from === unit) return { kind: 'ok', amount: { ...amountOf(amount), unit }, isRatio: !NOT_RATIO.has(unit) };
  if (from === undefined || unit === undefined) return { kind: 'undecided', reason: 'unit-missing' };
  const conversion = conversionOf(from, unit, analyte);
  if (conversion.kind === 'unknown-unit') return { kind: 'undecided', reason: 'unit-unknown' };
  if (conversion.kind === 'not-comparable') return { kind: 'undecided', reason: 'units-not-comparable' };
  const value = applyConversion(conversion, amount.value);
  if (!Number.isFinite(value)) return { kind: 'undecided', reason: 'not-a-number' };
  return {
    kind: 'ok',
    amount: { value, comparator: amount.comparator, unit },
    isRatio: conversion.offset === 0 && !NOT_RATIO.has(unit),
  };
}

/** Returns the amount without the other properties of its object. */
export function amountOf({ value, comparator, unit }: Amount): Amount {
  return { value, comparator, unit };
}
