import { createRequire } from 'node:module';
import type { UcumLhcUtils } from '@lhncbc/ucum-lhc';

/** What leads from mass to substance (mg/dL to mmol/L), and from substance to charge (mmol/L to meq/L). */
export type Analyte = {
  /** In g/mol. */
  readonly molarMass?: number | undefined;
  /** Of one ion, without its sign: 1 for potassium, 2 for calcium. */
  readonly charge?: number | undefined;
};

export type Conversion =
  /** `offset` is 0 but between temperatures. */
  | { readonly kind: 'linear'; readonly factor: number; readonly offset: number }
  | { readonly kind: 'unknown-unit' }
  /** mg and mmHg; mg and mmol of something without a molar mass; and units on a logarithm, which no rule needs. */
  | { readonly kind: 'not-comparable' };

/** Each is a parse of two expressions. Units come from outside, so what is kept of them has an end. */
const MAX_KEPT = 2_000;
const MAX_UNIT_LENGTH = 64;
/** A conversion is looked at in so many places before it counts as a straight line. */
const PROBES = [1, 10, 250, 1_000];
const SAME: Conversion = { kind: 'linear', factor: 1, offset: 0 };
/** Digits of a double that a conversion leaves right. */
const DIGITS = 12;
/** That a number can be written with; what is smaller than that stays as it is. */
const MAX_DECIMALS = 100;

const conversions = new Map<string, Conversion>();
let ucum: UcumLhcUtils | undefined;

/** How values in `from` become values in `to`, both in UCUM. The same unit needs no library, and need not be UCUM's. */
export function conversionOf(from: string, to: string, analyte: Analyte = {}): Conversion {
  if (from === to) return SAME;
  if (!isWellFormed(from) || !isWellFormed(to)) return { kind: 'unknown-unit' };
  const key = `${from} ${to} ${analyte.molarMass ?? ''} ${analyte.charge ?? ''}`;
  const known = conversions.get(key);
  if (known) return known;
  const found = findConversion(from, to, analyte);
  if (conversions.size >= MAX_KEPT) conversions.clear();
  conversions.set(key, found);
  return found;
}

/** 98.6 [degF] are 37 Cel: the digits that only the arithmetic has made are taken off again. */
export function applyConversion({ factor, offset }: Conversion & { kind: 'linear' }, value: number): number {
  if (factor === 1 && offset === 0) return value;
  const product = value * factor;
  const largest = Math.max(Math.abs(product), Math.abs(offset));
  const result = product + offset;
  const decimals = DIGITS - 1 - Math.floor(Math.log10(largest));
  return decimals <= MAX_DECIMALS
    ? Number(decimals >= 0 ? result.toFixed(decimals) : result.toPrecision(DIGITS))
    : result;
}

/** Whether UCUM has `unit`, as it is written. */
export function isUcum(unit: string): boolean {
  return isWellFormed(unit) && library().validateUnitString(unit).status === 'valid';
}

function findConversion(from: string, to: string, analyte: Analyte): Conversion {
  if (!isUcum(from) || !isUcum(to)) return { kind: 'unknown-unit' };
  const [a, b] = withoutArbitrary(from, to);
  const convert = (value: number) => convertOnce(a, value, b, analyte);
  const offset = convert(0);
  const far = convert(1_000);
  if (offset === undefined || far === undefined) return { kind: 'not-comparable' };
  const factor = (far - offset) / 1_000;
  const isStraight = PROBES.every((value) => isNear(convert(value), value * factor + offset, Math.abs(far)));
  return isStraight && factor > 0 ? { kind: 'linear', factor, offset } : { kind: 'not-comparable' };
}

function convertOnce(from: string, value: number, to: string, { molarMass, charge }: Analyte): number | undefined {
  const options = { ...(molarMass && { molecularWeight: molarMass }), ...(charge && { charge }) };
  try {
    const { status, toVal } = library().convertUnitTo(from, value, to, options);
    return status === 'succeeded' && toVal !== null && Number.isFinite(toVal) ? toVal : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined; // it trips over some units that it has called valid
    throw error;
  }
}

function isNear(found: number | undefined, expected: number, scale: number): boolean {
  return found !== undefined && Math.abs(found - expected) <= 1e-12 * Math.max(scale, Math.abs(expected));
}

const ARBITRARY = /\[(?:IU|iU|arb'U|USP'U)\]/g;

/**
 * The library converts no arbitrary unit, not even m[IU]/L to u[IU]/mL, where only the prefix differs. The same unit in
 * both, once, can be any unit that takes prefixes and is in no other: candela.
 */
function withoutArbitrary(from: string, to: string): [string, string] {
  const [one, two] = [from.match(ARBITRARY) ?? [], to.match(ARBITRARY) ?? []];
  const isSame = one.length === 1 && two.length === 1 && one[0]?.toUpperCase() === two[0]?.toUpperCase();
  return isSame ? [from.replace(ARBITRARY, 'cd'), to.replace(ARBITRARY, 'cd')] : [from, to];
}

const ATOM = "(?:[A-Za-z0-9%*^'_+[\\]-]+(?:\\{[!-z|~]*\\})?|\\{[!-z|~]*\\})";
const TERM = `/?${ATOM}(?:[./]${ATOM})*`;
const PART = `(?:${ATOM}|\\(${TERM}\\))`;
const EXPRESSION = new RegExp(`^/?${PART}(?:[./]${PART})*$`);

/** The library looks names up in plain objects, and finds these there, after a prefix of its own too (`cvalueOf`). */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

/** The library prints what it chokes on to the console; a unit of a resource must not get there. */
function isWellFormed(unit: string): boolean {
  return unit.length <= MAX_UNIT_LENGTH && EXPRESSION.test(unit) && !INHERITED.some((name) => unit.includes(name));
}

/** 30 ms and 20 MB: for who compares units, and when they do. Not `import()`, so that deciding stays without waiting. */
function library(): UcumLhcUtils {
  if (ucum) return ucum;
  const loaded = createRequire(import.meta.url)('@lhncbc/ucum-lhc') as typeof import('@lhncbc/ucum-lhc');
  ucum = loaded.UcumLhcUtils.getInstance();
  return ucum;
}
