/** The services of runs are named so; no others are. */
export const RUN_PREFIX = 'run-';

/**
 * The ids of a run's events are UUIDs that begin with the run's eight digits and end with the event's number, so that
 * a run recognises its own wherever it meets them: in the ledger, in rows, in any text of a dead letter.
 */
export function eventIdOf(runId: string, n: number): string {
  return `${runId}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Undefined where `eventId` is none of this run's. */
export function numberOf(runId: string, eventId: string): number | undefined {
  const prefix = `${runId}-0000-4000-8000-`;
  if (!eventId.startsWith(prefix) || eventId.length !== prefix.length + 12) return undefined;
  const n = Number.parseInt(eventId.slice(prefix.length), 16);
  return Number.isNaN(n) ? undefined : n;
}

/** The numbers of this run's events that are named anywhere in `text`. */
export function numbersIn(runId: string, text: string): Set<number> {
  const found = text.matchAll(new RegExp(`${runId}-0000-4000-8000-([0-9a-f]{12})`, 'g'));
  return new Set(Array.from(found, ([, digits]) => Number.parseInt(digits ?? '', 16)));
}
