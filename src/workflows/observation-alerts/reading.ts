import type { Rule } from './rule.js';

/** The results that count, by their status: final, may still change, no result, or should never have existed. */
export type Standing = 'final' | 'preliminary' | 'none' | 'withdrawn';

/** A number with its unit, as a Quantity has it. The comparators are those of R4. */
export type Amount = {
  readonly value: number;
  readonly comparator: '<' | '<=' | '>=' | '>' | undefined;
  readonly unit: string | undefined;
};

/** The reason why a result has no number. */
export type NoNumber = 'no-value' | 'not-a-number' | 'comparator-unknown' | 'several-values';

/** A reference range; a missing bound is open. */
export type ReferenceRange = { readonly low: Amount | undefined; readonly high: Amount | undefined };

/** The parts of an Observation that one rule needs. */
export type Reading = {
  readonly observationId: string;
  readonly standing: Standing;
  /** The subject in one spelling; see `subjectOf` in `read-observation.ts`. */
  readonly subject: string | undefined;
  readonly takenAt: Date | undefined;
  readonly value: Amount | NoNumber;
  /** The ranges that may apply; more than one if the resource does not say which. */
  readonly ranges: readonly ReferenceRange[];
  readonly interpretations: readonly string[];
};

/** Returns whether the result counts for `rule`, by its standing. */
export function isCounted({ takesPreliminary }: Rule, { standing }: Reading): boolean {
  return standing === 'final' || (standing === 'preliminary' && takesPreliminary);
}

/** The time of a result, and its Observation. */
export type Moment = Pick<Reading, 'takenAt' | 'observationId'>;

/**
 * Orders a patient's results by their time; at the same time by the id of the Observation, so that every handler finds
 * the same order. Results without a time come last.
 */
export function compareMoments(a: Moment, b: Moment): number {
  const msOf = ({ takenAt }: Moment) => takenAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return msOf(a) - msOf(b) || Number(a.observationId > b.observationId) - Number(a.observationId < b.observationId);
}
