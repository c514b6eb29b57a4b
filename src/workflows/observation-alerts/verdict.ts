import type { Amount } from './reading.js';
import type { Movement, Side } from './rule.js';

/** Reasons that are logged. */
const REASONS = [
  // The resource has no value, no number, or several values for one code.
  'no-value',
  'not-a-number',
  'several-values',
  // `<` or `>` leaves open whether the limit is passed; or the comparator is not of R4.
  'comparator',
  'comparator-unknown',
  'unit-missing',
  'unit-unknown',
  'units-not-comparable',
  'no-reference-range',
  'reference-ranges-disagree',
  // A delta needs a subject and a time, and for percents a positive previous value.
  'no-subject',
  'no-time',
  'previous-not-positive',
] as const;

export const CODES = [
  'alert-not-sent',
  'alert-send-failed',
  'tries',
  ...REASONS.map((reason) => `undecided-${reason}` as const),
] as const;

export type AlertCode = (typeof CODES)[number];

/** The reason why a rule cannot decide. Missing interpretations are usual and are not logged. */
export type UndecidedReason = (typeof REASONS)[number] | 'no-interpretation';

/** No alert, because the result is uncertain. */
type Undecided = { readonly kind: 'undecided'; readonly reason: UndecidedReason };

export type Verdict = Alert | { readonly kind: 'none' } | Undecided;

/** An alert and its reason. Amounts are in the unit of the rule or range; for percents, in the unit of the result. */
export type Alert = {
  readonly kind: 'alert';
  readonly by: 'limit' | 'reference-range' | 'interpretation' | 'delta';
  readonly amount?: Amount;
  readonly side?: Side | Movement | `${Movement}Percent`;
  readonly threshold?: number;
  readonly interpretation?: string;
  readonly previous?: { readonly amount: Amount; readonly takenAt: Date; readonly observationId: string };
};

/** No alert, for certain. */
export const NONE = { kind: 'none' } as const;

export function undecided(reason: UndecidedReason): Undecided {
  return { kind: 'undecided', reason };
}
