import type { Observation } from 'fhir/r4.js';
import { evaluate } from '../../../src/workflows/observation-alerts/evaluate.js';
import { readingFor } from '../../../src/workflows/observation-alerts/read-observation.js';
import type { Reading } from '../../../src/workflows/observation-alerts/reading.js';
import type { Rule } from '../../../src/workflows/observation-alerts/rule.js';
import { readRules } from '../../../src/workflows/observation-alerts/rules.js';
import type { Verdict } from '../../../src/workflows/observation-alerts/verdict.js';

export const LOINC = 'http://loinc.org';
export const UCUM = 'http://unitsofmeasure.org';
export const HOST = 'w-f.fhir.azurehealthcareapis.com';

/** Returns the rule with these fields; the defaults are of potassium. */
export function ruleOf(fields: Record<string, unknown>): Rule {
  const read = readRules(JSON.stringify({ rules: [{ name: 'rule', code: '2823-3', severity: 'info', ...fields }] }));
  const [rule] = read.kind === 'ok' ? read.rules : [];
  if (rule === undefined) throw new Error(JSON.stringify(read));
  return rule;
}

/** Returns a Quantity in UCUM from `6.1 mmol/L`, `>6.0 mmol/L` or `6.1`. */
export function quantity(text: string): NonNullable<Observation['valueQuantity']> {
  const [, comparator, value, unit] = /^([<>]=?)?(-?[\d.e+-]+)(?: (\S+))?$/.exec(text) ?? [];
  return {
    value: Number(value),
    ...(comparator && { comparator: comparator as '<' }),
    ...(unit && { unit, system: UCUM, code: unit }),
  };
}

/** Returns a final potassium result. */
export function observation(fields: Partial<Observation> = {}): Observation {
  return {
    resourceType: 'Observation',
    id: 'o-1',
    status: 'final',
    code: { coding: [{ system: LOINC, code: '2823-3' }] },
    subject: { reference: 'Patient/p-1' },
    effectiveDateTime: '2026-03-02T08:00:00Z',
    ...fields,
  };
}

export function reading(rule: Rule, fields: Partial<Observation>): Reading {
  const found = readingFor(rule, observation(fields), HOST);
  if (found === undefined) throw new Error('The rule is not for this Observation.');
  return found;
}

/** Returns `alert`, `none`, or the reason why the rule is undecided. */
export function outcomeOf(verdict: Verdict): string {
  return verdict.kind === 'undecided' ? verdict.reason : verdict.kind;
}

export function evaluateResult(fields: Record<string, unknown>, result: Partial<Observation>): string {
  const rule = ruleOf(fields);
  return outcomeOf(evaluate(rule, reading(rule, result)));
}
