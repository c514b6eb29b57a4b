/** The prefix of the services of runs, and of no others. */
export const RUN_PREFIX = 'run-';
/** The part of an event's id between the run's id and the number. */
const MIDDLE = '-0000-4000-8000-';

/**
 * Returns the id of event `n` of a run: a UUID that begins with the run's id and ends with `n`. So a run finds its
 * events everywhere: in the ledger, in rows, in the text of a dead letter.
 */
export function eventIdOf(runId: string, n: number): string {
  return `${runId}${MIDDLE}${n.toString(16).padStart(12, '0')}`;
}

/** Returns the number of an event of this run; undefined for an event of another run. */
export function numberOf(runId: string, eventId: string): number | undefined {
  const prefix = runId + MIDDLE;
  if (!eventId.startsWith(prefix) || eventId.length !== prefix.length + 12) return undefined;
  const n = Number.parseInt(eventId.slice(prefix.length), 16);
  return Number.isNaN(n) ? undefined : n;
}

/** Returns the numbers of this run's events that are named anywhere in `text`. */
export function numbersIn(runId: string, text: string): Set<number> {
  const found = text.matchAll(new RegExp(`${runId}${MIDDLE}([0-9a-f]{12})`, 'g'));
  return new Set(Array.from(found, ([, digits]) => Number.parseInt(digits ?? '', 16)));
}
