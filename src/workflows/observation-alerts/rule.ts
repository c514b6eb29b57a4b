import type { Analyte } from './units.js';

/** A code in a code system, as Observations have it. */
export type Code = { readonly system: string; readonly code: string };

/** A rule as it is evaluated. `docs/alert-rules.md` has the format that people write. */
export type Rule = {
  /** Never changes: the name is part of the key of its alerts. */
  readonly name: string;
  /** Codes of the quantity; any of them matches. */
  readonly codes: readonly Code[];
  /** Codes of a component; undefined means the value of the Observation itself. */
  readonly componentCodes: readonly Code[] | undefined;
  readonly condition: Condition;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly takesPreliminary: boolean;
  readonly analyte: Analyte;
};

export type Condition =
  /** Past any of the limits. */
  | { readonly kind: 'limits'; readonly limits: readonly Limit[]; readonly unit: string }
  | { readonly kind: 'reference-range' }
  | { readonly kind: 'interpretation'; readonly codes: readonly string[] }
  | DeltaCondition;

/** The side of a limit on which a value is past it. */
export type Side = 'above' | 'atLeast' | 'below' | 'atMost';
/** A limit, and the side on which a value is past it. */
export type Limit = { readonly side: Side; readonly value: number };

export type Movement = 'rise' | 'fall';
/** Alerts if the value is at least `size` more or less than a previous result of at most `withinMs` ago. */
export type DeltaCondition = {
  readonly kind: 'delta';
  readonly movements: readonly Movement[];
  readonly size: number;
  /** The unit of `size`; undefined: percent. */
  readonly unit: string | undefined;
  readonly withinMs: number;
};

/** A rule that compares with the patient's previous result. */
export type DeltaRule = Rule & { readonly condition: DeltaCondition };

export function isDelta(rule: Rule): rule is DeltaRule {
  return rule.condition.kind === 'delta';
}
