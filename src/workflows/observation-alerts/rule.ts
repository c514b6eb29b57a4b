import type { Analyte } from './units.js';

/** A code as Observations have it. */
export type Code = { readonly system: string; readonly code: string };

export type Severity = 'info' | 'warning' | 'critical';

/** One rule, as it is evaluated. `docs/alert-rules.md` has the form that people write. */
export type Rule = {
  /** Stable: part of the key of its alerts. */
  readonly name: string;
  /** Any of them is the quantity meant. */
  readonly codes: readonly Code[];
  /** Of `Observation.component`; where absent, the value of the Observation itself counts. */
  readonly componentCodes: readonly Code[] | undefined;
  readonly condition: Condition;
  readonly severity: Severity;
  /** Whether results that are not final count. */
  readonly takesPreliminary: boolean;
  readonly analyte: Analyte;
};

export type Condition =
  | LimitsCondition
  | { readonly kind: 'reference-range' }
  | { readonly kind: 'interpretation'; readonly codes: readonly string[] }
  | DeltaCondition;

/** Past either is an alert; at least one is there. */
export type LimitsCondition = {
  readonly kind: 'limits';
  readonly upper: Limit<'above' | 'atLeast'> | undefined;
  readonly lower: Limit<'below' | 'atMost'> | undefined;
  readonly unit: string;
};
export type Limit<Side extends string> = { readonly side: Side; readonly value: number };

/** At least so much more, less, or either, than the previous result, which is `withinMs` old or younger. */
export type DeltaCondition = {
  readonly kind: 'delta';
  readonly direction: 'rise' | 'fall' | 'change';
  readonly by:
    | { readonly kind: 'amount'; readonly amount: number; readonly unit: string }
    | { readonly kind: 'percent'; readonly percent: number };
  readonly withinMs: number;
};
