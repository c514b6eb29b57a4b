import { isSameRow, type Place, type Row, type Tables } from '../../workflow.js';
import { type Entry, placeOfEntry } from './index-keys.js';
import { PATIENT_KEYS, PATIENTS } from './places.js';

/** The row that a patient must end with, and its entries in `patientkeys`. */
type Wanted = { readonly row: Row; readonly entries: readonly Entry[] };

/** `isNew`: probably no row exists yet. Tables and fences are those of the handler's context. */
type Run = {
  readonly tables: Tables;
  readonly isNew: boolean;
  readonly fence: number | undefined;
  readonly completedFence: number | undefined;
};

/** The maximum of pending entries, of 23 characters and a space, that fit into a column. A patient has at most 160. */
const MAX_PENDING = 1300;

// A patient's row lists its entries: confirmed entries exist, pending entries may exist. The columns are `sure` and
// `unsure`.
//
//   step          writes             what it writes
//   begin         the patient's row  new content, with every entry that changes listed as pending
//   writeEntries  entries' rows      each pending entry is written or removed
//   finish        the patient's row  all entries confirmed; if the patient is gone, the row is removed
//
// If no entry changes, there is one write. If entries are only added, as for a new patient, there is no `finish`: column
// `sureAfter` has the fence of the run, and the next run confirms the entries if that run completed.
//
// A process that dies between two steps leaves its pending entries in the row; the next event or try, of any version,
// writes them. A pending entry is always written, even if it exists: then the entry has the fence of the new holder, and
// a former holder that wakes up cannot remove it. Until its lease ends, a former holder can add an entry that no other
// handler has written. That entry stays and does no harm, because a lookup compares with the patient's row.

/** Changes the rows of a patient to `wanted`; removes them if `wanted` is undefined. */
export async function updatePatient(place: Place, wanted: Wanted | undefined, run: Run): Promise<void> {
  const { tables } = run;
  const removed = new Set<Entry>();
  for (;;) {
    const { pending, isTooMany, isLast } = await begin(place, wanted, { ...run, removed });
    if (pending.length === 0) return;
    await writeEntries(place, { pending, wanted: new Set(isTooMany ? [] : wanted?.entries) }, tables);
    if (isLast) return;
    if (!isTooMany) return finish(place, wanted, tables);
    for (const entry of pending) removed.add(entry);
  }
}

type Plan = {
  readonly pending: Entry[];
  /** Processes that died have left more pending entries than fit into the row: these are removed first. */
  readonly isTooMany?: boolean;
  /** Set if there is no `finish`: the next run confirms the entries. */
  readonly isLast?: boolean;
};

/** `removed`: the pending entries that this call has removed, because they were too many. */
type Conditions = Run & { readonly removed: ReadonlySet<Entry> };

async function begin({ partition, key }: Place, wanted: Wanted | undefined, conditions: Conditions): Promise<Plan> {
  const { tables, isNew } = conditions;
  let plan: Plan = { pending: [] };
  const decide = (current: Row | undefined) => {
    const { row, ...next } = planFor(current, wanted, conditions);
    plan = next;
    return row;
  };
  await tables(PATIENTS).change(partition, key, decide, isNew ? { expect: 'absent' } : {});
  return plan;
}

function planFor(
  current: Row | undefined,
  wanted: Wanted | undefined,
  { removed, fence, completedFence }: Conditions,
): Plan & { row: Row | 'keep' | 'remove' } {
  if (!current && !wanted) return { pending: [], row: 'keep' };
  const { columns, confirmed, pending: leftPending } = partsOf(current, completedFence);
  const wantedEntries = new Set(wanted?.entries);
  const isConfirmed = new Set(confirmed);
  const changed = [
    ...leftPending.filter((entry) => !removed.has(entry)),
    ...[...wantedEntries].filter((entry) => !isConfirmed.has(entry)),
    ...confirmed.filter((entry) => !wantedEntries.has(entry)),
  ];
  const pending = [...new Set(changed)].sort();
  if (pending.length > MAX_PENDING) return { pending: leftPending, isTooMany: true, row: 'keep' };
  if (pending.length === 0) return { pending, row: settledRow(wanted, current) };
  const kept = confirmed.filter((entry) => wantedEntries.has(entry));
  const isLast = fence !== undefined && pending.every((entry) => wantedEntries.has(entry));
  const lists = { sure: kept.join(' '), unsure: pending.join(' '), ...(isLast && { sureAfter: fence }) };
  const row = { ...(wanted?.row ?? columns), ...lists };
  return { pending, isLast, row: isSameRow(row, current) ? 'keep' : row };
}

/**
 * Writes in parallel: entries of one partition share a transaction. The removals come last, because after a change of
 * layout old and new entries answer the same searches.
 */
async function writeEntries(
  { key: patientKey }: Place,
  { pending, wanted }: { pending: readonly Entry[]; wanted: ReadonlySet<Entry> },
  tables: Tables,
): Promise<void> {
  const changeAll = (entries: readonly Entry[], decide: () => Row | 'remove', options: { expect?: 'absent' }) =>
    Promise.all(
      entries.map((entry) => {
        const { partition, key } = placeOfEntry(entry, patientKey);
        return tables(PATIENT_KEYS).change(partition, key, decide, options);
      }),
    );
  const { true: written = [], false: removed = [] } = Object.groupBy(pending, (entry) => String(wanted.has(entry)));
  await changeAll(written, () => ({}), { expect: 'absent' });
  await changeAll(removed, () => 'remove', {});
}

async function finish({ partition, key }: Place, wanted: Wanted | undefined, tables: Tables): Promise<void> {
  await tables(PATIENTS).change(partition, key, (current) => settledRow(wanted, current));
}

function settledRow(wanted: Wanted | undefined, current: Row | undefined): Row | 'keep' | 'remove' {
  if (!wanted) return 'remove';
  const row = { ...wanted.row, sure: wanted.entries.join(' ') };
  return isSameRow(row, current) ? 'keep' : row;
}

/**
 * Returns the patient's own columns, and its confirmed and pending entries. `completedFence`: of the last run, if that
 * run completed.
 */
export function partsOf(
  current: Row | undefined,
  completedFence?: number,
): { columns: Row; confirmed: Entry[]; pending: Entry[] } {
  const { sure, unsure, sureAfter, ...columns } = current ?? {};
  const isCompleted = sureAfter !== undefined && sureAfter === completedFence;
  const [confirmed, pending] = isCompleted
    ? [[...listIn(sure), ...listIn(unsure)], []]
    : [listIn(sure), listIn(unsure)];
  return { columns, confirmed, pending };
}

function listIn(text: unknown): Entry[] {
  return String(text ?? '')
    .split(' ')
    .filter(Boolean);
}
