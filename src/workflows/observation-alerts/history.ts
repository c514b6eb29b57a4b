import type { Reading } from './read-observation.js';
import type { Rule } from './rule.js';

/**
 * Orders a patient's results by their time; at the same time by the id of the Observation, so that every handler finds
 * the same order. Results without a time come last.
 */
export function compareReadings(a: Reading, b: Reading): number {
  const [aMs, bMs] = [a, b].map(({ takenAt }) => takenAt?.getTime() ?? Number.MAX_SAFE_INTEGER) as [number, number];
  if (aMs !== bMs) return aMs - bMs;
  return a.observationId < b.observationId ? -1 : Number(a.observationId > b.observationId);
}

/** Returns the nearest earlier result that `rule` compares `reading` with. */
export function previousOf(rule: Rule, reading: Reading, others: readonly Reading[]): Reading | undefined {
  const earlier = comparable(rule, reading, others).filter((other) => compareReadings(other, reading) < 0);
  return earlier.sort(compareReadings).at(-1);
}

/** Returns the nearest later result, whose previous result may be `reading` when that arrives late. */
export function nextOf(rule: Rule, reading: Reading, others: readonly Reading[]): Reading | undefined {
  const later = comparable(rule, reading, others).filter((other) => compareReadings(other, reading) > 0);
  return later.sort(compareReadings)[0];
}

/**
 * Returns the results with a number and a time that count and are of the same patient, without other versions of the
 * same Observation.
 */
function comparable(rule: Rule, reading: Reading, others: readonly Reading[]): Reading[] {
  if (reading.subject === undefined || reading.takenAt === undefined) return [];
  return others.filter(
    (other) =>
      other.subject === reading.subject &&
      other.observationId !== reading.observationId &&
      other.takenAt !== undefined &&
      other.value.kind === 'number' &&
      counts(rule, other),
  );
}

/** Whether `rule` takes a result of this standing. */
export function counts({ takesPreliminary }: Rule, { standing }: Reading): boolean {
  return standing === 'final' || (standing === 'preliminary' && takesPreliminary);
}
