import { NonRetriableError } from '../errors.js';
import { dayOf } from '../events/key.js';

/** The limits of the time for which the ledger knows the changes that have run. */
type Memory = {
  /** The first day whose jobs are known by their changes; '' for every day. */
  readonly firstDayByChange: string;
  /** `LEDGER_RETENTION_DAYS`. */
  readonly retentionDays: number;
  readonly now: Date;
};

export const DAY_MS = 24 * 3_600_000;
/** Event Grid tries to deliver an event for less than this time. */
const LATE_DAYS = 2;

/**
 * Checks that the ledger knows which changes since `since` have run. A named workflow may get changes from before the
 * retention, because a new workflow has had none of them.
 * @throws NonRetriableError that says which time to name, before anything is read
 */
export function checkSince(since: string, workflow: string | undefined, memory: Memory): void {
  const { firstDayByChange, retentionDays, now } = memory;
  const remembered = new Date(now.getTime() - retentionDays * DAY_MS).toISOString();
  if (workflow === undefined && since < remembered) {
    throw refusal(
      'since-forgotten',
      `The app remembers a settled job for ${retentionDays} days (LEDGER_RETENTION_DAYS), so older changes would run again. ` +
        `Use a --since of ${remembered} or later, or --workflow NAME for a workflow that has not had these changes.`,
    );
  }
  const day = dayOf(since);
  if (day >= firstDayByChange) return;
  const firstTime = startOfDay(firstDayByChange);
  if (workflow !== undefined && now.getTime() >= firstTime.getTime() + LATE_DAYS * DAY_MS) return;
  const from = new Date(firstTime.getTime() + LATE_DAYS * DAY_MS).toISOString();
  throw refusal(
    'since-before-upgrade',
    `An earlier release of the app has recorded the jobs of before ${firstTime.toISOString()} without their changes. Use a ` +
      `--since of that time or later. From ${from} on, --workflow NAME may name any time, for a workflow that is new.`,
  );
}

/** Returns the first instant of a day (yyyymmdd). */
export function startOfDay(day: string): Date {
  return new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}T00:00:00.000Z`);
}

function refusal(code: string, message: string): NonRetriableError {
  return new NonRetriableError(message, { code });
}
