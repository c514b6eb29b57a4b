import type { Row, TaskContext } from '../../workflow.js';
import { close, note } from './open-studies.js';
import { OPEN_PARTITIONS, type StudyPlace } from './places.js';
import { readQuietPeriod } from './quiet-period.js';
import { afterQuiet } from './study-row.js';

/** Studies looked at side by side. */
const LANES = 16;
/** A timer is never due to the millisecond. */
const EARLY_MS = 1000;

/**
 * Settles the studies to which nothing has come for STUDY_QUIET_MINUTES. Quiet is what this timer sees: it notes what the
 * study's row was made of, and when it first saw that. So events that are hours late count when they come, and the
 * clocks of services and of handlers play no part; that of the process that looks does, against that of the one that
 * looked before.
 */
export async function settleStudies(context: TaskContext): Promise<void> {
  const failures: unknown[] = [];
  for (const partition of OPEN_PARTITIONS) {
    const rows = await context.tables('openstudies').list(partition, { limit: Number.POSITIVE_INFINITY });
    const left = rows.values();
    const work = async () => {
      for (const { key, row } of left) {
        if (context.signal.aborted) return;
        await settleStudy({ partition, key }, row, context).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, rows.length) }, work));
  }
  if (failures.length > 0) throw failures[0];
}

async function settleStudy(place: StudyPlace, row: Row, { tables, setting, now }: TaskContext): Promise<void> {
  const study = await tables('studies').get(place.partition, place.key);
  if (study?.status !== 'arriving') return close(tables, place, row);
  const at = now();
  const quietMs = row.seen === study.seen ? at.getTime() - Date.parse(String(row.quietSince)) : Number.NaN;
  // Nothing was noted of what there is now; or it was by a clock that is ahead of this one, and might be for hours.
  if (!(quietMs >= 0)) return note(tables, place, row, { seen: String(study.seen), quietSince: at.toISOString() });
  if (quietMs < quietPeriodMs(setting) - EARLY_MS) return;
  let isSettled = false;
  await tables('studies').change(place.partition, place.key, (current) => {
    const after = afterQuiet(current, String(row.seen));
    isSettled = after !== 'keep';
    return after;
  });
  if (isSettled) await close(tables, place, row);
}

function quietPeriodMs(setting: TaskContext['setting']): number {
  const quiet = readQuietPeriod(setting);
  if ('ms' in quiet) return quiet.ms;
  throw new TypeError(quiet.problem);
}
