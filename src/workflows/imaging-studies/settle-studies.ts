import { forEachAtOnce, PARTITIONS, type Setting, type TaskContext } from '../../workflow.js';
import { changeOpen, type OpenStudy } from './open-studies.js';
import { afterQuiet } from './study-row.js';

/** Maximum number of studies that are checked at the same time. */
const MAX_AT_ONCE = 16;
/** Tolerance, because a timer does not run to the millisecond. */
const EARLY_MS = 1000;
const DEFAULT_MINUTES = 10;
const MAX_MINUTES = 1440;

/**
 * Settles the studies without news for STUDY_QUIET_MINUTES. The timer measures the quiet time: it records the state of
 * the study's row and when it first saw that state. So events that are hours late count when they arrive, and the
 * clocks of services and handlers do not matter. Only the clocks of successive timer processes are compared.
 */
export async function settleStudies(context: TaskContext): Promise<void> {
  const failures: unknown[] = [];
  for (const partition of PARTITIONS) {
    const rows = await context.tables('openstudies').list(partition, { limit: Number.POSITIVE_INFINITY });
    await forEachAtOnce(rows, MAX_AT_ONCE, async ({ key, row }) => {
      if (context.signal.aborted) return;
      await settleStudy({ partition, key, row }, context).catch((error: unknown) => failures.push(error));
    });
  }
  if (failures.length > 0) throw failures[0];
}

async function settleStudy(open: OpenStudy, { tables, setting, now }: TaskContext): Promise<void> {
  const { partition, key, row } = open;
  const study = await tables('studies').get(partition, key);
  if (study?.status !== 'arriving') return changeOpen(tables, open, 'remove');
  const at = now();
  const quietMs = row.seen === study.seen ? at.getTime() - Date.parse(String(row.quietSince)) : Number.NaN;
  // The state is new; or a process whose clock is ahead, perhaps by hours, recorded it.
  if (!(quietMs >= 0)) return changeOpen(tables, open, { seen: String(study.seen), quietSince: at.toISOString() });
  if (quietMs < quietPeriodMs(setting) - EARLY_MS) return;
  let isSettled = false;
  await tables('studies').change(partition, key, (current) => {
    const after = afterQuiet(current, String(row.seen));
    isSettled = after !== 'keep';
    return after;
  });
  if (isSettled) await changeOpen(tables, open, 'remove');
}

/** @throws TypeError if the setting is wrong; `setup` then does not start the workflow. */
function quietPeriodMs(setting: Setting): number {
  const quiet = readQuietPeriod(setting);
  if ('ms' in quiet) return quiet.ms;
  throw new TypeError(quiet.problem);
}

/** Returns STUDY_QUIET_MINUTES in ms, or a message that says why the setting is wrong. */
export function readQuietPeriod(setting: Setting): { ms: number } | { problem: string } {
  const text = setting('STUDY_QUIET_MINUTES') ?? String(DEFAULT_MINUTES);
  const minutes = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (minutes >= 1 && minutes <= MAX_MINUTES) return { ms: minutes * 60_000 };
  return { problem: `STUDY_QUIET_MINUTES is '${text.slice(0, 32)}', must be a whole number from 1 to ${MAX_MINUTES}` };
}
