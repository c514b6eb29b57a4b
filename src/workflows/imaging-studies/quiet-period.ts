import type { Setting } from '../../workflow.js';

const DEFAULT_MINUTES = 10;
const MAX_MINUTES = 1440;

/** Returns STUDY_QUIET_MINUTES in ms, or a message that says why the setting is wrong. */
export function readQuietPeriod(setting: Setting): { ms: number } | { problem: string } {
  const text = setting('STUDY_QUIET_MINUTES') ?? String(DEFAULT_MINUTES);
  const minutes = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (minutes >= 1 && minutes <= MAX_MINUTES) return { ms: minutes * 60_000 };
  return { problem: `STUDY_QUIET_MINUTES is '${text.slice(0, 32)}', must be a whole number from 1 to ${MAX_MINUTES}` };
}
