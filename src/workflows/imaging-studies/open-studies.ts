import type { Place, Row, Tables } from '../../workflow.js';
import { periodOf } from './study-row.js';

// Table `openstudies`: a row for each arriving study, so that the timer need not read all studies.
//   period       the period of the study's row at the time of writing. Only rises, and identifies the row: the timer
//                changes and removes only a row of the period that it has read
//   seen         `seen` of the study's row at the timer's last new observation; '' before the first
//   quietSince   when the timer made that observation, by its own clock

export type OpenStudy = Place & { readonly row: Row };

/** Returns whether the study has a row of `period` or a later one. */
export async function isListedOpen(tables: Tables, { partition, key }: Place, period: number): Promise<boolean> {
  return periodOf(await tables('openstudies').get(partition, key)) >= period;
}

/** Makes sure that the study has a row of `period` or a later one. */
export async function listAsOpen(tables: Tables, { partition, key }: Place, period: number): Promise<void> {
  await tables('openstudies').change(
    partition,
    key,
    (current) => (periodOf(current) >= period ? 'keep' : { period, seen: '', quietSince: '' }),
    { expect: 'absent' },
  );
}

/** Changes or removes the row, but no row of a later period. */
export async function changeOpen(
  tables: Tables,
  { partition, key, row }: OpenStudy,
  next: 'remove' | { seen: string; quietSince: string },
): Promise<void> {
  await tables('openstudies').change(partition, key, (current) => {
    if (!current || periodOf(current) !== periodOf(row)) return 'keep';
    return next === 'remove' ? next : { ...current, ...next };
  });
}
