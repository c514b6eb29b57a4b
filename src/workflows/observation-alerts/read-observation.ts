import type { Observation } from 'fhir/r4.js';
import { rangeOfDate } from '../../fhir-date.js';
import { type Fields, fieldsOf, isFields, listOf, textOf } from './json-shape.js';
import { subjectOf } from './read-subject.js';
import { unitOf } from './read-unit.js';
import type { Code, Rule } from './rule.js';

/** Whether a result counts, by its status: final, may still change, no result, or should never have existed. */
export type Standing = 'final' | 'preliminary' | 'none' | 'withdrawn';

/** The comparators of R4. */
export type Comparator = '<' | '<=' | '>=' | '>';
/** A number with its unit, as a Quantity has it. */
export type Amount = {
  readonly value: number;
  readonly comparator: Comparator | undefined;
  readonly unit: string | undefined;
};

/** The value of a result, or the reason why there is none. */
export type ResultValue =
  | ({ readonly kind: 'number' } & Amount)
  | { readonly kind: 'none'; readonly reason: 'no-value' | 'not-a-number' | 'comparator-unknown' | 'several-values' };

/** A reference range; a missing bound is open. */
export type ReferenceRange = { readonly low: Amount | undefined; readonly high: Amount | undefined };

/** The parts of an Observation that one rule needs. */
export type Reading = {
  readonly observationId: string;
  readonly standing: Standing;
  /** See `subjectOf`. */
  readonly subject: string | undefined;
  readonly takenAt: Date | undefined;
  readonly value: ResultValue;
  /** The ranges that may apply; more than one if the resource does not say which. */
  readonly ranges: readonly ReferenceRange[];
  readonly interpretations: readonly string[];
};

const STANDINGS: Readonly<Record<string, Standing>> = {
  final: 'final',
  amended: 'final',
  corrected: 'final',
  preliminary: 'preliminary',
  'entered-in-error': 'withdrawn',
};
const COMPARATORS: readonly unknown[] = ['<', '<=', '>=', '>'] satisfies Comparator[];
const OTHER_VALUE = /^value[A-Z]/;
const INTERPRETATION = /\/(?:v3-ObservationInterpretation|v2-0078|v3\/ObservationInterpretation|v2\/0078)$/;
const RANGE_MEANING = /\/referencerange-meaning$/;

/**
 * Returns what `rule` needs of the Observation; undefined if the rule is for other codes. `host` is the service of the
 * Observation.
 */
export function readingFor(rule: Rule, observation: Observation, host?: string): Reading | undefined {
  const fields = fieldsOf(observation);
  if (!hasCode(fields.code, rule.codes)) return undefined;
  const measured = rule.componentCodes ? componentOf(fields, rule.componentCodes) : fields;
  if (measured === undefined) return undefined;
  return {
    observationId: textOf(fields.id) ?? '',
    standing: standingOf(observation),
    subject: subjectOf(fields.subject, host),
    takenAt: takenAtOf(fields),
    value: measured === 'several' ? { kind: 'none', reason: 'several-values' } : resultValueOf(measured),
    ranges: measured === 'several' ? [] : rangesOf(measured),
    interpretations: measured === 'several' ? [] : interpretationsOf(measured),
  };
}

/** Returns whether the Observation counts, by its status. */
export function standingOf(observation: Observation): Standing {
  const status = textOf(fieldsOf(observation).status) ?? '';
  return Object.hasOwn(STANDINGS, status) ? (STANDINGS[status] ?? 'none') : 'none';
}

function hasCode(concept: unknown, wanted: readonly Code[]): boolean {
  return listOf(fieldsOf(concept).coding).some((coding) =>
    wanted.some(({ system, code }) => coding.code === code && coding.system === system),
  );
}

/** Returns the component with the code that has a value; `several` if more than one has. */
function componentOf(fields: Fields, codes: readonly Code[]): Fields | 'several' | undefined {
  const components = listOf(fields.component).filter(({ code }) => hasCode(code, codes));
  const [first, ...others] = components.filter((component) => resultValueOf(component).kind === 'number');
  return others.length > 0 ? 'several' : (first ?? components[0]);
}

function resultValueOf(fields: Fields): ResultValue {
  if (isFields(fields.dataAbsentReason)) return { kind: 'none', reason: 'no-value' };
  if (isFields(fields.valueQuantity)) return quantityOf(fields.valueQuantity);
  if (isNumber(fields.valueInteger))
    return { kind: 'number', value: fields.valueInteger, comparator: undefined, unit: '1' };
  const isOther = Object.keys(fields).some((name) => OTHER_VALUE.test(name));
  return { kind: 'none', reason: isOther ? 'not-a-number' : 'no-value' };
}

function quantityOf(quantity: Fields): ResultValue {
  const { value, comparator } = quantity;
  if (value === undefined) return { kind: 'none', reason: 'no-value' };
  if (!isNumber(value)) return { kind: 'none', reason: 'not-a-number' };
  if (comparator !== undefined && !isComparator(comparator)) return { kind: 'none', reason: 'comparator-unknown' };
  return { kind: 'number', value, comparator, unit: unitOf(quantity) };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isComparator(value: unknown): value is Comparator {
  return COMPARATORS.includes(value);
}

/**
 * Returns the time of the result: effective, else issued, else the last write of the resource. A period counts from its
 * end, a date from its first moment, a time without a zone as UTC.
 */
function takenAtOf({ effectiveDateTime, effectiveInstant, effectivePeriod, issued, meta }: Fields): Date | undefined {
  const { start, end } = fieldsOf(effectivePeriod);
  const texts = [effectiveDateTime, effectiveInstant, end, start, issued, fieldsOf(meta).lastUpdated];
  for (const text of texts) {
    const range = typeof text === 'string' ? rangeOfDate(text.trim()) : undefined;
    if (range) return new Date(range.startMs);
  }
  return undefined;
}

/** Returns the normal ranges that have a number: those for everybody, else those that say they are normal. */
function rangesOf(fields: Fields): ReferenceRange[] {
  const normal = listOf(fields.referenceRange).filter(({ type }) => type === undefined || isNormal(type));
  const numeric = normal.filter((range) => boundOf(range.low) ?? boundOf(range.high));
  const general = numeric.filter(({ appliesTo, age }) => appliesTo === undefined && age === undefined);
  const meant = general.length > 0 ? general : numeric.filter(({ type }) => type !== undefined);
  return meant.map(({ low, high }) => ({ low: boundOf(low), high: boundOf(high) })).filter(isPossible);
}

function isNormal(type: unknown): boolean {
  return listOf(fieldsOf(type).coding).some(
    ({ system, code }) => code === 'normal' && (system === undefined || RANGE_MEANING.test(String(system))),
  );
}

function isPossible({ low, high }: ReferenceRange): boolean {
  return low === undefined || high === undefined || low.unit !== high.unit || low.value <= high.value;
}

function boundOf(bound: unknown): Amount | undefined {
  const value = isFields(bound) ? quantityOf(bound) : undefined;
  return value?.kind === 'number' && value.comparator === undefined ? value : undefined;
}

function interpretationsOf(fields: Fields): string[] {
  const codings = listOf(fields.interpretation).flatMap(({ coding }) => listOf(coding));
  const ours = codings.filter(({ system }) => system === undefined || INTERPRETATION.test(String(system)));
  return ours.flatMap(({ code }) => textOf(code) ?? []);
}
