import type { Reading } from './read-observation.js';
import type { Rule } from './rule.js';

/**
 * The order of a patient's results: by the time that they are of; at the same time by the id of their Observation, so
 * that it is the same whoever asks, and whatever arrived first. Those without a time come last.
 */
export function compareReadings(a: Reading, b: Reading): number {
  const [aMs, bMs] = [a, b].map(({ takenAt }) => takenAt?.getTime() ?? Number.MAX_SAFE_INTEGER) as [number, number];
  if (aMs !== bMs) return aMs - bMs;
  return a.observationId < b.observationId ? -1 : Number(a.observationId > b.observationId);
}

/** The nearest earlier result that `reading` is to be compared with by `rule`. */
export function previousOf(rule: Rule, reading: Reading, others: readonly Reading[]): Reading | undefined {
  const earlier = comparable(rule, reading, others).filter((other) => compareReadings(other, reading) < 0);
  return earlier.sort(compareReadings).at(-1);
}

/** The nearest later one: its previous result may be `reading`, when that arrives late. */
export function nextOf(rule: Rule, reading: Reading, others: readonly Reading[]): Reading | undefined {
  const later = comparable(rule, reading, others).filter((other) => compareReadings(other, reading) > 0);
  return later.sort(compareReadings)[0];
}

/** What has a number and a time, counts, and is of the same patient; never another version of the same Observation. */
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

/** Whether a result of this standing is one for `rule`. */
export function counts({ takesPreliminary }: Rule, { standing }: Reading): boolean {
  return standing === 'final' || (standing === 'preliminary' && takesPreliminary);
}
