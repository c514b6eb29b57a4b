import type * as z from 'zod';
import { placeOfError, textOfPath } from '../../json-place.js';
import bundled from './alert-rules.json' with { type: 'json' };
import type { Code, Condition, Rule } from './rule.js';
import { findProblems, type Problem } from './rule-problems.js';
import { type CodesText, LIMITS, LOINC, MOVEMENTS, msOf, type RuleText, rulesFile } from './rule-schema.js';

const MAX_SHOWN_LENGTH = 60;

type ReadRules<P = Problem> =
  | { readonly kind: 'ok'; readonly rules: readonly Rule[] }
  | { readonly kind: 'wrong'; readonly problems: readonly P[] };

/**
 * Returns the rules in the file at `path` (the setting ALERT_RULES), or the bundled rules without a path; or a line for
 * each problem, with its place, for a ConfigError.
 */
export function loadRules(path: string | undefined, readFile: (path: string) => string): ReadRules<string> {
  let text: string | undefined;
  try {
    text = path === undefined ? undefined : readFile(path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string') throw error;
    return { kind: 'wrong', problems: [`ALERT_RULES names a file that cannot be read (${code}): ${path}`] };
  }
  const read = text === undefined ? checkRules(bundled) : readRules(text);
  if (read.kind === 'ok') return read;
  const file = path ?? 'alert-rules.json';
  return { kind: 'wrong', problems: read.problems.map(({ path, message }) => `${file}: ${path} ${message}`) };
}

/** Returns the rules in `text`, the content of a rules file; or every problem. */
export function readRules(text: string): ReadRules {
  const json = text.replace(/^\uFEFF/, ''); // some editors write a byte order mark
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch {
    return { kind: 'wrong', problems: [{ path: placeOfError(json), message: 'is where the file stops being JSON' }] };
  }
  return checkRules(content);
}

function checkRules(content: unknown): ReadRules {
  const parsed = rulesFile.safeParse(content);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, [], content))),
    ...findProblems(content),
  ];
  if (!parsed.success || problems.length > 0) return { kind: 'wrong', problems };
  return { kind: 'ok', rules: Object.freeze(parsed.data.rules.map(ruleOf)) };
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

function problemsOf(issue: Issue, before: Path, content: unknown): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => !issues.some((inner) => inner.path.length === 0 && isOfType(inner)));
    if (meant) return meant.flatMap((inner) => problemsOf(inner, path, content));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: textOfPath([...path, key]),
      message: 'is no property that is known here',
    }));
  }
  return [
    { path: textOfPath(path) || '$', message: `is ${describeValue(valueAt(content, path))}, must be ${issue.message}` },
  ];
}

/** Returns whether a branch of a union does not fit at all. */
function isOfType(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union';
}

function valueAt(content: unknown, path: Path): unknown {
  return path.reduce((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], content);
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = value === Number.POSITIVE_INFINITY ? 'too large a number' : JSON.stringify(value);
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

function ruleOf(text: RuleText): Rule {
  const { molarMass, charge } = text;
  return Object.freeze({
    name: text.name,
    codes: codesOf(text.code),
    componentCodes: text.component === undefined ? undefined : codesOf(text.component),
    condition: conditionOf(text),
    severity: text.severity,
    takesPreliminary: text.preliminary ?? true,
    analyte: { molarMass, charge },
  });
}

function codesOf(text: CodesText): Code[] {
  return [text].flat().map((code) => (typeof code === 'string' ? { system: LOINC, code } : code));
}

function conditionOf(text: RuleText): Condition {
  const { outsideReferenceRange, interpretation, within, unit = '' } = text;
  if (outsideReferenceRange) return { kind: 'reference-range' };
  if (interpretation) return { kind: 'interpretation', codes: interpretation };
  if (within === undefined) {
    const limits = LIMITS.flatMap((side) => (text[side] === undefined ? [] : [{ side, value: text[side] }]));
    return { kind: 'limits', limits, unit };
  }
  const direction = MOVEMENTS.find((name) => (text[name] ?? text[`${name}Percent`]) !== undefined) ?? 'change';
  return {
    kind: 'delta',
    movements: direction === 'change' ? ['rise', 'fall'] : [direction],
    size: text[direction] ?? text[`${direction}Percent`] ?? 0,
    unit: text.unit,
    withinMs: msOf(within),
  };
}
