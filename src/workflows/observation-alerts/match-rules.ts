import type { Observation } from 'fhir/r4.js';
import { fieldsOf, listOf } from './json-shape.js';
import { readingFor } from './read-observation.js';
import type { Result } from './results.js';
import type { Rule } from './rule.js';

/** A rule, and the result that it finds in an Observation. */
export type Match = { readonly rule: Rule; readonly result: Result };

/** The rules by their codes: there may be hundreds of rules, but an Observation has one code or two. */
export type RuleIndex = ReadonlyMap<string, readonly Rule[]>;

/** Returns `rules` by their codes. */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const index = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const { code } of rule.codes) {
      const those = index.get(code) ?? [];
      if (!those.includes(rule)) index.set(code, [...those, rule]);
    }
  }
  return index;
}

/** Returns the rules for `observation`, each with its result. `of` comes from the event. */
export function matchRules(
  index: RuleIndex,
  observation: Observation,
  of: { host: string; resourceId: string; version: number },
): Match[] {
  const codes = listOf(fieldsOf(fieldsOf(observation).code).coding).map(({ code }) => code);
  const rules = new Set(codes.flatMap((code) => (typeof code === 'string' ? (index.get(code) ?? []) : [])));
  const version = versionOf(observation) ?? of.version;
  return [...rules].flatMap((rule) => {
    const reading = readingFor(rule, observation, of.host);
    if (reading === undefined) return [];
    return [{ rule, result: { reading: { ...reading, observationId: of.resourceId }, host: of.host, version } }];
  });
}

/** Returns the version of the content, which may be newer than the event. */
function versionOf(observation: Observation): number | undefined {
  const { versionId } = fieldsOf(fieldsOf(observation).meta);
  const version = typeof versionId === 'string' ? Number(versionId) : Number.NaN;
  return Number.isSafeInteger(version) ? version : undefined;
}
