import { createRequire } from 'node:module';
import type { UcumLhcUtils } from '@lhncbc/ucum-lhc';
import { USUAL_UNITS } from './read-unit.js';

/** The numbers that convert mass to substance (mg/dL to mmol/L), and substance to charge (mmol/L to meq/L). */
export type Analyte = {
  /** The mass of one mole in g. */
  readonly molarMass?: number | undefined;
  /** Charge of one ion, without its sign: 1 for potassium, 2 for calcium. */
  readonly charge?: number | undefined;
};

/** Converts values of one unit to another: by `factor`, then by `offset`, which is 0 except for temperatures. */
type Conversion = { readonly factor: number; readonly offset: number };

/** `units-not-comparable`: mg and mmHg; mg and mmol without a molar mass; logarithmic units, which no rule needs. */
type NoConversion = 'unit-unknown' | 'units-not-comparable';

/** Maximum number of cached conversions. Each costs two parses, and units come from outside. */
const MAX_KEPT = 2_000;
const MAX_UNIT_LENGTH = 64;
/** Values at which a conversion must be linear. */
const SAMPLES = [1, 10, 250, 1_000];
const SAME: Conversion = { factor: 1, offset: 0 };
/** Digits of a double that a conversion keeps right. */
const DIGITS = 12;
/** Maximum of `toFixed`; smaller numbers stay as they are. */
const MAX_DECIMALS = 100;

const conversions = new Map<string, Conversion | NoConversion>();
let ucum: UcumLhcUtils | undefined;

/**
 * Returns how values in `from` become values in `to`, both in UCUM. Equal units need no library and may be unknown to
 * UCUM.
 */
export function conversionOf(from: string, to: string, analyte: Analyte = {}): Conversion | NoConversion {
  if (from === to) return SAME;
  if (!isWellFormed(from) || !isWellFormed(to)) return 'unit-unknown';
  const key = `${from} ${to} ${analyte.molarMass ?? ''} ${analyte.charge ?? ''}`;
  const known = conversions.get(key);
  if (known) return known;
  const found = findConversion(from, to, analyte);
  if (conversions.size >= MAX_KEPT) conversions.clear();
  conversions.set(key, found);
  return found;
}

/** Returns the converted value without the digits that only the arithmetic makes: 98.6 [degF] are 37 Cel. */
export function applyConversion({ factor, offset }: Conversion, value: number): number {
  if (factor === 1 && offset === 0) return value;
  const product = value * factor;
  const largest = Math.max(Math.abs(product), Math.abs(offset));
  const result = product + offset;
  const decimals = DIGITS - 1 - Math.floor(Math.log10(largest));
  return decimals <= MAX_DECIMALS
    ? Number(decimals >= 0 ? result.toFixed(decimals) : result.toPrecision(DIGITS))
    : result;
}

/** Returns whether a unit is of UCUM. Usual units need no library, so that the app starts without it. */
export function isUcum(unit: string): boolean {
  return USUAL_UNITS.has(unit) || (isWellFormed(unit) && loadLibrary().validateUnitString(unit).status === 'valid');
}

function findConversion(from: string, to: string, analyte: Analyte): Conversion | NoConversion {
  if (!isUcum(from) || !isUcum(to)) return 'unit-unknown';
  const units = withoutArbitrary(from, to);
  const convert = (value: number) => convertOnce(value, units, analyte);
  const offset = convert(0);
  const far = convert(1_000);
  if (offset === undefined || far === undefined) return 'units-not-comparable';
  const factor = (far - offset) / 1_000;
  const isStraight = SAMPLES.every((value) => isNear(convert(value), value * factor + offset, Math.abs(far)));
  return isStraight && factor > 0 ? { factor, offset } : 'units-not-comparable';
}

function convertOnce(value: number, [from, to]: [string, string], { molarMass, charge }: Analyte): number | undefined {
  const options = { ...(molarMass && { molecularWeight: molarMass }), ...(charge && { charge }) };
  try {
    const { status, toVal } = loadLibrary().convertUnitTo(from, value, to, options);
    return status === 'succeeded' && toVal !== null && Number.isFinite(toVal) ? toVal : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined; // the library fails on some units that it has called valid
    throw error;
  }
}

function isNear(found: number | undefined, expected: number, scale: number): boolean {
  return found !== undefined && Math.abs(found - expected) <= 1e-12 * Math.max(scale, Math.abs(expected));
}

const ARBITRARY = /\[(?:IU|iU|arb'U|USP'U)\]/g;

/**
 * Replaces an arbitrary unit that is in both by candela. The library converts no arbitrary units, not even m[IU]/L to
 * u[IU]/mL, where only the prefix differs; candela takes prefixes and is in no other unit.
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

/** Names that the library finds in plain objects, also after a prefix of its own (`cvalueOf`). */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

/**
 * Returns whether the library may get `unit`. It prints texts that it cannot parse to the console, where no text of a
 * resource may go.
 */
function isWellFormed(unit: string): boolean {
  return unit.length <= MAX_UNIT_LENGTH && EXPRESSION.test(unit) && !INHERITED.some((name) => unit.includes(name));
}

/**
 * Loads the library, which takes 30 ms and 20 MB, at its first use. No `import()`, so that evaluation stays
 * synchronous.
 */
function loadLibrary(): UcumLhcUtils {
  if (ucum) return ucum;
  const loaded = createRequire(import.meta.url)('@lhncbc/ucum-lhc') as typeof import('@lhncbc/ucum-lhc');
  ucum = loaded.UcumLhcUtils.getInstance();
  return ucum;
}
