import type { z } from 'zod';
import { placeOfError } from '../../json-place.js';
import type { Code, Condition, DeltaCondition, LimitsCondition, Rule } from './rule.js';
import { findProblems, type Problem } from './rule-problems.js';
import { type CodesText, LOINC, msOf, type RuleText, rulesFile } from './rule-schema.js';

const MAX_SHOWN_LENGTH = 60;

/** The rules, or every problem. */
export type ReadRules =
  | { readonly kind: 'ok'; readonly rules: readonly Rule[] }
  | { readonly kind: 'wrong'; readonly problems: readonly Problem[] };

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

/** Returns the rules in parsed JSON; or every problem. */
export function checkRules(content: unknown): ReadRules {
  const parsed = rulesFile.safeParse(content);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, [], content))),
    ...findProblems(content),
  ];
  if (!parsed.success || problems.length > 0) return { kind: 'wrong', problems };
  return { kind: 'ok', rules: Object.freeze(parsed.data.rules.map(ruleOf)) };
}

export type { Problem };

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

function problemsOf(issue: Issue, before: Path, content: unknown): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => !issues.some((inner) => inner.path.length === 0 && isOfType(inner)));
    if (meant) return meant.flatMap((inner) => problemsOf(inner, path, content));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: textOf([...path, key]), message: 'is no property that is known here' }));
  }
  return [{ path: textOf(path), message: `is ${shown(found(content, path))}, must be ${issue.message}` }];
}

/** Whether a branch of a union does not fit at all. */
function isOfType(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union';
}

function textOf(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? '$' : text.replace(/^\./, '');
}

function found(content: unknown, path: Path): unknown {
  return path.reduce((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], content);
}

function shown(value: unknown): string {
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
  if (text.outsideReferenceRange) return { kind: 'reference-range' };
  if (text.interpretation) return { kind: 'interpretation', codes: text.interpretation };
  return text.within === undefined ? limitsOf(text) : deltaOf(text, text.within);
}

function limitsOf({ above, atLeast, below, atMost, unit = '' }: RuleText): LimitsCondition {
  return {
    kind: 'limits',
    upper: limitOf('above', above) ?? limitOf('atLeast', atLeast),
    lower: limitOf('below', below) ?? limitOf('atMost', atMost),
    unit,
  };
}

function limitOf<const Side extends string>(side: Side, value: number | undefined) {
  return value === undefined ? undefined : { side, value };
}

function deltaOf(text: RuleText, within: string): DeltaCondition {
  const { unit = '' } = text;
  const direction =
    (['rise', 'fall', 'change'] as const).find((name) => (text[name] ?? text[`${name}Percent`]) !== undefined) ??
    'rise';
  const [amount, percent = 0] = [text[direction], text[`${direction}Percent`]];
  const by =
    amount === undefined ? ({ kind: 'percent', percent } as const) : ({ kind: 'amount', amount, unit } as const);
  return { kind: 'delta', direction, by, withinMs: msOf(within) };
}
