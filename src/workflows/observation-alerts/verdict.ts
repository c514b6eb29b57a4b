import type { Side } from './interval.js';
import type { Amount } from './read-observation.js';

export type Verdict =
  | ({ readonly kind: 'alert' } & Facts)
  | { readonly kind: 'none' }
  /** No alert, since nobody can say. The code goes into logs. */
  | Undecided;

export type Undecided = { readonly kind: 'undecided'; readonly reason: UndecidedReason };

export type UndecidedReason =
  /** The resource has no value, none that is a number, or several for one code. */
  | 'no-value'
  | 'not-a-number'
  | 'several-values'
  /** `<`, `>` leave it open whether the limit is passed; or it is none that R4 knows. */
  | 'comparator'
  | 'comparator-unknown'
  | 'unit-missing'
  | 'unit-unknown'
  | 'units-not-comparable'
  | 'no-reference-range'
  | 'reference-ranges-disagree'
  | 'no-interpretation'
  /** A delta needs to know whose result it is, of when, and for percents what is 100. */
  | 'no-subject'
  | 'no-time'
  | 'previous-not-positive';

/** Why there is an alert. Amounts are in the unit of the rule or the range, those of percents in that of the result. */
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
