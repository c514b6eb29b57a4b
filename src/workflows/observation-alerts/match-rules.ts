import type { Observation } from 'fhir/r4.js';
import { fieldsOf, listOf } from '../../workflow.js';
import { readingFor } from './read-observation.js';
import { placeOf, type Result, type ResultPlace } from './results.js';
import { type DeltaRule, isDelta, type Rule } from './rule.js';

/** A rule, and the result that it finds in an Observation. With a place, the result is compared with others. */
export type Match = { readonly result: Result } & (
  | { readonly rule: Rule; readonly place: undefined }
  | { readonly rule: DeltaRule; readonly place: ResultPlace }
);

/** The rules by their codes: there may be hundreds of rules, but an Observation has one code or two. */
export type RuleIndex = ReadonlyMap<string, readonly Rule[]>;

/** Returns the index of `rules`. */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const index = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const code of new Set(rule.codes.map(({ code }) => code))) {
      index.set(code, [...(index.get(code) ?? []), rule]);
    }
  }
  return index;
}

/** Returns the rules for `observation`, each with its result. */
export function matchRules(
  index: RuleIndex,
  observation: Observation,
  event: { host: string; resourceId: string; version: number },
): Match[] {
  const codes = listOf(fieldsOf(fieldsOf(observation).code).coding).map(({ code }) => code);
  const rules = new Set(codes.flatMap((code) => (typeof code === 'string' ? (index.get(code) ?? []) : [])));
  const version = versionOf(observation) ?? event.version;
  return [...rules].flatMap((rule): Match[] => {
    const reading = readingFor(rule, observation, event.host);
    if (reading === undefined) return [];
    const result = { reading: { ...reading, observationId: event.resourceId }, host: event.host, version };
    const place = isDelta(rule) ? placeOf(rule, result) : undefined;
    return [place && isDelta(rule) ? { rule, result, place } : { rule, result, place: undefined }];
  });
}

/** Returns the version of the content, which may be newer than the event. */
function versionOf(observation: Observation): number | undefined {
  const { versionId } = fieldsOf(fieldsOf(observation).meta);
  const version = typeof versionId === 'string' ? Number(versionId) : Number.NaN;
  return Number.isSafeInteger(version) ? version : undefined;
}
