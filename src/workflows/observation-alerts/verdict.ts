import type { Side } from './interval.js';
import type { Amount } from './read-observation.js';

/** The result of evaluating a rule. */
export type Verdict =
  | ({ readonly kind: 'alert' } & Facts)
  | { readonly kind: 'none' }
  /** No alert, because the result is uncertain. The reason goes into logs. */
  | Undecided;

/** No alert, because the result is uncertain. */
export type Undecided = { readonly kind: 'undecided'; readonly reason: UndecidedReason };

/** Why a rule cannot decide; goes into logs. */
export type UndecidedReason =
  /** The resource has no value, no number, or several values for one code. */
  | 'no-value'
  | 'not-a-number'
  | 'several-values'
  /** `<` or `>` leaves open whether the limit is passed; or the comparator is not of R4. */
  | 'comparator'
  | 'comparator-unknown'
  | 'unit-missing'
  | 'unit-unknown'
  | 'units-not-comparable'
  | 'no-reference-range'
  | 'reference-ranges-disagree'
  | 'no-interpretation'
  /** A delta needs a subject and a time, and for percents a positive previous value. */
  | 'no-subject'
  | 'no-time'
  | 'previous-not-positive';

/** The reason of an alert. Amounts are in the unit of the rule or range; for percents, in the unit of the result. */
export type Facts =
  | {
      readonly by: 'limit' | 'reference-range';
      readonly amount: Amount;
      readonly side: Side;
      readonly threshold: number;
    }
  | { readonly by: 'interpretation'; readonly amount?: Amount; readonly interpretation: string }
  | {
      readonly by: 'delta';
      readonly amount: Amount;
      readonly side: 'rise' | 'fall' | 'risePercent' | 'fallPercent';
      readonly threshold: number;
      readonly previous: { readonly amount: Amount; readonly takenAt: Date; readonly observationId: string };
    };
