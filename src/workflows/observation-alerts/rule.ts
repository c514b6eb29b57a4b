import type { Analyte } from './units.js';

/** A code in a code system, as Observations have it. */
export type Code = { readonly system: string; readonly code: string };

/** The severity of a rule's alerts. */
export type Severity = 'info' | 'warning' | 'critical';

/** A rule as it is evaluated. `docs/alert-rules.md` has the format that people write. */
export type Rule = {
  /** Never changes: the name is part of the key of its alerts. */
  readonly name: string;
  /** Codes of the quantity; any of them matches. */
  readonly codes: readonly Code[];
  /** Codes of a component; undefined means the value of the Observation itself. */
  readonly componentCodes: readonly Code[] | undefined;
  readonly condition: Condition;
  readonly severity: Severity;
  /** Whether preliminary results count. */
  readonly takesPreliminary: boolean;
  readonly analyte: Analyte;
};

/** When a rule alerts. */
export type Condition =
  | LimitsCondition
  | { readonly kind: 'reference-range' }
  | { readonly kind: 'interpretation'; readonly codes: readonly string[] }
  | DeltaCondition;

/** Alerts past either limit; at least one limit is set. */
export type LimitsCondition = {
  readonly kind: 'limits';
  readonly upper: Limit<'above' | 'atLeast'> | undefined;
  readonly lower: Limit<'below' | 'atMost'> | undefined;
  readonly unit: string;
};
/** A limit, and the side on which a value is past it. */
export type Limit<Side extends string> = { readonly side: Side; readonly value: number };

/**
 * Alerts if the value is at least this much more, less, or either, than a previous result of at most `withinMs` ago.
 */
export type DeltaCondition = {
  readonly kind: 'delta';
  readonly direction: 'rise' | 'fall' | 'change';
  readonly by:
    | { readonly kind: 'amount'; readonly amount: number; readonly unit: string }
    | { readonly kind: 'percent'; readonly percent: number };
  readonly withinMs: number;
};
