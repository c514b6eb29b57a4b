import type { Observation } from 'fhir/r4.js';
import { rangeOfDate } from '../../fhir-date.js';
import { type Fields, fieldsOf, isFields, listOf, textOf } from '../../workflow.js';
import { unitOf } from './read-unit.js';
import type { Amount, NoNumber, Reading, ReferenceRange, Standing } from './reading.js';
import type { Code, Rule } from './rule.js';

const STANDINGS = new Map<unknown, Standing>([
  ['final', 'final'],
  ['amended', 'final'],
  ['corrected', 'final'],
  ['preliminary', 'preliminary'],
  ['entered-in-error', 'withdrawn'],
]);
const COMPARATORS: readonly unknown[] = ['<', '<=', '>=', '>'];
const OTHER_VALUE = /^value[A-Z]/;
const INTERPRETATION = /\/(?:v3-ObservationInterpretation|v2-0078|v3\/ObservationInterpretation|v2\/0078)$/;
const RANGE_MEANING = /\/referencerange-meaning$/;
const ID = '[A-Za-z0-9.-]{1,64}';
const LITERAL = new RegExp(`^(https?://[^\\s?#]+/)?([A-Z][A-Za-z]{0,63})/(${ID})(?:/_history/${ID})?$`);
const URN = /^urn:(?:uuid|oid):[^\s]{1,200}$/i;

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
    ...(measured === 'several'
      ? { value: 'several-values', ranges: [], interpretations: [] }
      : { value: numberOf(measured), ranges: rangesOf(measured), interpretations: interpretationsOf(measured) }),
  };
}

/** Returns whether the results of an Observation count, by its status. */
export function standingOf(observation: Observation): Standing {
  return STANDINGS.get(textOf(fieldsOf(observation).status)) ?? 'none';
}

/**
 * Returns the subject in one spelling for all forms of a reference: `Patient/1` for a resource of the service at
 * `host`, with the base URL for a resource elsewhere. Undefined if two results cannot be matched by it: a logical
 * identifier alone, a contained resource, a group.
 */
function subjectOf(subject: unknown, host: string | undefined): string | undefined {
  const reference = textOf(fieldsOf(subject).reference);
  if (reference === undefined) return undefined;
  if (URN.test(reference)) return reference.toLowerCase();
  const [, base, type, id] = LITERAL.exec(reference) ?? [];
  if (type === undefined || type === 'Group') return undefined;
  const url = base === undefined ? undefined : URL.parse(base);
  const isOwn = base === undefined || (url?.pathname === '/' && url.host === host?.toLowerCase());
  return isOwn ? `${type}/${id}` : `${base}${type}/${id}`;
}

function hasCode(concept: unknown, wanted: readonly Code[]): boolean {
  return listOf(fieldsOf(concept).coding).some((coding) =>
    wanted.some(({ system, code }) => coding.code === code && coding.system === system),
  );
}

/** Returns the component with the code that has a value; `several` if more than one has. */
function componentOf(fields: Fields, codes: readonly Code[]): Fields | 'several' | undefined {
  const components = listOf(fields.component).filter(({ code }) => hasCode(code, codes));
  const [first, ...others] = components.filter((component) => typeof numberOf(component) !== 'string');
  return others.length > 0 ? 'several' : (first ?? components[0]);
}

function numberOf(fields: Fields): Amount | NoNumber {
  if (isFields(fields.dataAbsentReason)) return 'no-value';
  if (isFields(fields.valueQuantity)) return amountOf(fields.valueQuantity);
  if (isNumber(fields.valueInteger)) return { value: fields.valueInteger, comparator: undefined, unit: '1' };
  return Object.keys(fields).some((name) => OTHER_VALUE.test(name)) ? 'not-a-number' : 'no-value';
}

function amountOf(quantity: Fields): Amount | NoNumber {
  const { value, comparator } = quantity;
  if (value === undefined) return 'no-value';
  if (!isNumber(value)) return 'not-a-number';
  if (comparator !== undefined && !COMPARATORS.includes(comparator)) return 'comparator-unknown';
  return { value, comparator: comparator as Amount['comparator'], unit: unitOf(quantity) };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
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
  const amount = isFields(bound) ? amountOf(bound) : 'no-value';
  return typeof amount === 'string' || amount.comparator !== undefined ? undefined : amount;
}

function interpretationsOf(fields: Fields): string[] {
  const codings = listOf(fields.interpretation).flatMap(({ coding }) => listOf(coding));
  const ours = codings.filter(({ system }) => system === undefined || INTERPRETATION.test(String(system)));
  return ours.flatMap(({ code }) => textOf(code) ?? []);
}
