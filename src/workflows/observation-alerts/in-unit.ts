import type { Amount } from './read-observation.js';
import { type Analyte, applyConversion, conversionOf } from './units.js';
import type { Undecided } from './verdict.js';

/** Their zero is not nothing, so that a percent of them says nothing. */
const NOT_RATIO = new Set<string | undefined>(['Cel', '[degF]', '[degRe]']);
/** What counts, as things without a dimension do. */
const ONE = '1';

/** `amount` in `unit`. No unit is the same as none, and as 1; it is nothing else. */
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

/** Without what else its object has. */
export function amountOf({ value, comparator, unit }: Amount): Amount {
  return { value, comparator, unit };
}
