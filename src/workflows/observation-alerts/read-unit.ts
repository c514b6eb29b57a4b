import { type Fields, textOf } from './json-shape.js';

/** The code system of UCUM. */
export const UCUM = 'http://unitsofmeasure.org';

/** Common misspellings of units that are no UCUM code and have one meaning. Lower case. */
const MISSPELLINGS: Readonly<Record<string, string>> = {
  mmhg: 'mm[Hg]',
  'meq/l': 'meq/L',
  'iu/l': '[IU]/L',
  'iu/ml': '[IU]/mL',
  'miu/l': 'm[IU]/L',
  'miu/ml': 'm[IU]/mL',
  'uiu/ml': 'u[IU]/mL',
  'units/l': 'U/L',
  'mcg/ml': 'ug/mL',
  'mcg/l': 'ug/L',
  'gm/dl': 'g/dL',
  '°c': 'Cel',
  degc: 'Cel',
  celsius: 'Cel',
  '°f': '[degF]',
  degf: '[degF]',
  fahrenheit: '[degF]',
  percent: '%',
  bpm: '/min',
  'beats/min': '/min',
  'breaths/min': '/min',
  'beats/minute': '/min',
  'breaths/minute': '/min',
  'x10^3/ul': '10*3/uL',
  'x10e3/ul': '10*3/uL',
  'x10^9/l': '10*9/L',
  'x10e9/l': '10*9/L',
  'x10^6/ul': '10*6/uL',
  'x10e6/ul': '10*6/uL',
  'x10^12/l': '10*12/L',
  'x10e12/l': '10*12/L',
};

/** Meanings of unit texts. As UCUM codes, C is the coulomb, F the farad and K the kelvin. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ...MISSPELLINGS,
  c: 'Cel',
  f: '[degF]',
  'k/ul': '10*3/uL',
  'mg/dl': 'mg/dL',
  'g/dl': 'g/dL',
  'mmol/l': 'mmol/L',
  'umol/l': 'umol/L',
};

/**
 * Returns the unit of a Quantity: its code if it is of UCUM, else its text; undefined if there is none. An unknown unit
 * stays as it is and is comparable only with itself.
 */
export function unitOf({ system, code, unit }: Fields): string | undefined {
  const coded = textOf(code);
  if (coded !== undefined && system === UCUM) return spell(coded, MISSPELLINGS);
  const text = textOf(unit) ?? (textOf(system) === undefined ? coded : undefined);
  return text === undefined ? undefined : spell(text, SPELLINGS);
}

function spell(text: string, table: Readonly<Record<string, string>>): string {
  const plain = text.replace(/[µμ]/g, 'u').replace(/\s+/g, '');
  const key = plain.toLowerCase();
  return Object.hasOwn(table, key) ? (table[key] ?? plain) : plain;
}
