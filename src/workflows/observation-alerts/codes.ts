/** The codes that this workflow logs. `undecided-…` gives the reason why a rule cannot decide, see verdict.ts. */
export const CODES = [
  'alert-not-sent',
  'alert-send-failed',
  'tries',
  'undecided-comparator',
  'undecided-comparator-unknown',
  'undecided-no-reference-range',
  'undecided-no-subject',
  'undecided-no-time',
  'undecided-no-value',
  'undecided-not-a-number',
  'undecided-previous-not-positive',
  'undecided-reference-ranges-disagree',
  'undecided-several-values',
  'undecided-unit-missing',
  'undecided-unit-unknown',
  'undecided-units-not-comparable',
] as const;

/** One of these codes. */
export type AlertCode = (typeof CODES)[number];
