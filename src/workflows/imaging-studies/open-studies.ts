import type { Context, Row } from '../../workflow.js';
import type { StudyPlace } from './places.js';
import { periodOf } from './study-row.js';

// Table `openstudies`: a row for each study that arrives, so that the timer need not look at all there are.
//   period       of the study's row for which it was written. It only ever goes up, and is what the row is known by:
//                the timer changes and removes the row of the period that it has read, and no other
//   seen         of the study's row when the timer last found something new in it; '' before it has looked
//   quietSince   when that was, by the clock of who looked

type Tables = Context['tables'];

/** Whether the study has a row of `period` or a later one. */
export async function isListedOpen(tables: Tables, { partition, key }: StudyPlace, period: number): Promise<boolean> {
  return periodOf(await tables('openstudies').get(partition, key)) >= period;
}

/** Sees to it that the study has a row of `period` or a later one. */
export async function open(tables: Tables, { partition, key }: StudyPlace, period: number): Promise<void> {
  await tables('openstudies').change(
    partition,
    key,
    (current) => (periodOf(current) >= period ? 'keep' : { period, seen: '', quietSince: '' }),
    { expect: 'absent' },
  );
}

/** Notes what the timer has seen of a study, and when. */
export async function note(
  tables: Tables,
  { partition, key }: StudyPlace,
  row: Row,
  noted: { seen: string; quietSince: string },
): Promise<void> {
  await tables('openstudies').change(partition, key, (current) =>
    current && periodOf(current) === periodOf(row) ? { ...current, ...noted } : 'keep',
  );
}

/** Removes `row`, not one that has come in its place. */
export async function close(tables: Tables, { partition, key }: StudyPlace, row: Row): Promise<void> {
  await tables('openstudies').change(partition, key, (current) =>
    current && periodOf(current) === periodOf(row) ? 'remove' : 'keep',
  );
}
