import { type Fields, textOf } from '../../workflow.js';
import spellings from './unit-spellings.json' with { type: 'json' };

const UCUM = 'http://unitsofmeasure.org';
const IN_CODE = new Map(Object.entries(spellings.always));
const IN_TEXT = new Map([...IN_CODE, ...Object.entries(spellings.inText)]);

/** Units that most rules use, all of UCUM. */
export const USUAL_UNITS: ReadonlySet<string> = new Set(IN_TEXT.values());

/**
 * Returns the unit of a Quantity: its code if it is of UCUM, else its text; undefined if it has neither. An unknown unit
 * stays as it is and is comparable only with itself.
 */
export function unitOf({ system, code, unit }: Fields): string | undefined {
  const coded = textOf(code);
  if (coded !== undefined && system === UCUM) return spell(coded, IN_CODE);
  const text = textOf(unit) ?? (textOf(system) === undefined ? coded : undefined);
  return text === undefined ? undefined : spell(text, IN_TEXT);
}

function spell(text: string, spellings: ReadonlyMap<string, string>): string {
  const plain = text.replace(/[µμ]/g, 'u').replace(/\s+/g, '');
  return spellings.get(plain.toLowerCase()) ?? plain;
}
