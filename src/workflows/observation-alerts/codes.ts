/** What the logs of this workflow may hold. `undecided-…`: why a rule could not be decided, see verdict.ts. */
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

export type AlertCode = (typeof CODES)[number];
