import { isSameRow, type Place, type Row, type Tables } from '../../workflow.js';
import { type Entry, placeOfEntry } from './index-keys.js';
import { PATIENT_KEYS, PATIENTS } from './places.js';

/** The row that a patient must end with, and its entries in `patientkeys`. */
export type Wanted = { readonly row: Row; readonly entries: readonly Entry[] };

/** Limit of pending entries: 23 characters and a space each fit into a column. A patient has at most 620 entries. */
const MAX_PENDING = 1300;

// A patient's row lists its entries: confirmed entries exist, pending entries may exist. The columns are `sure` and
// `unsure`.
//
//   begin    patient's row: new content, with every entry that changes listed as pending
//   index    entries' rows: write or remove each pending entry
//   finish   patient's row: all entries confirmed; if the patient is gone, remove the row
//
// If no entry changes, there is one write. A process that dies between two steps leaves its pending entries in the row;
// the next event or try, of any version, settles them. A pending entry is always written, even if it exists: then the
// entry has the fence of the new holder, and a former holder that wakes up cannot remove it. A former holder can only
// write an entry that no other handler has written since, until its lease ends. Such an entry is never removed and does
// no harm, because a look-up compares with the patient's row.

/** Makes the rows of a patient as `wanted`; undefined removes them. `isNew` means that probably no row exists yet. */
export async function settlePatient(
  place: Place,
  wanted: Wanted | undefined,
  tables: Tables,
  { isNew }: { isNew: boolean },
): Promise<void> {
  const gone = new Set<Entry>();
  for (;;) {
    const plan = await begin(place, wanted, tables, { isNew, gone });
    switch (plan.kind) {
      case 'settled':
        return;
      case 'index':
        await index(place, plan.pending, new Set(wanted?.entries), tables);
        return finish(place, wanted, tables);
      case 'too-many':
        await index(place, plan.pending, new Set(), tables);
        for (const entry of plan.pending) gone.add(entry);
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(plan satisfies never)}`);
    }
  }
}

type Plan =
  | { kind: 'settled' }
  | { kind: 'index'; pending: Entry[] }
  /** Processes that died have left more pending entries than fit into the row: they are removed first. */
  | { kind: 'too-many'; pending: Entry[] };

async function begin(
  { partition, key }: Place,
  wanted: Wanted | undefined,
  tables: Tables,
  { isNew, gone }: { isNew: boolean; gone: ReadonlySet<Entry> },
): Promise<Plan> {
  let plan: Plan = { kind: 'settled' };
  const decide = (current: Row | undefined) => {
    const next = planFor(current, wanted, gone);
    plan = next.plan;
    return next.row;
  };
  await tables(PATIENTS).change(partition, key, decide, isNew ? { expect: 'absent' } : {});
  return plan;
}

function planFor(
  current: Row | undefined,
  wanted: Wanted | undefined,
  gone: ReadonlySet<Entry>,
): { plan: Plan; row: Row | 'keep' | 'remove' } {
  if (!current && !wanted) return { plan: { kind: 'settled' }, row: 'keep' };
  const { columns, confirmed, pending: left } = partsOf(current);
  const aims = new Set(wanted?.entries);
  const isConfirmed = new Set(confirmed);
  const pending = [
    ...new Set([
      ...left.filter((entry) => !gone.has(entry)),
      ...[...aims].filter((entry) => !isConfirmed.has(entry)),
      ...confirmed.filter((entry) => !aims.has(entry)),
    ]),
  ].sort();
  if (pending.length > MAX_PENDING) return { plan: { kind: 'too-many', pending: left }, row: 'keep' };
  if (pending.length === 0) return { plan: { kind: 'settled' }, row: settledRow(wanted, current) };
  const kept = confirmed.filter((entry) => aims.has(entry));
  const row = { ...(wanted?.row ?? columns), sure: kept.join(' '), unsure: pending.join(' ') };
  return { plan: { kind: 'index', pending }, row: isSameRow(row, current) ? 'keep' : row };
}

/** Writes in parallel: entries of one partition share a transaction. */
async function index(
  { key: patientKey }: Place,
  pending: readonly Entry[],
  aims: ReadonlySet<Entry>,
  tables: Tables,
): Promise<void> {
  const keys = tables(PATIENT_KEYS);
  await Promise.all(
    pending.map((entry) => {
      const { partition, key } = placeOfEntry(entry, patientKey);
      return aims.has(entry)
        ? keys.change(partition, key, () => ({}), { expect: 'absent' })
        : keys.change(partition, key, () => 'remove');
    }),
  );
}

async function finish({ partition, key }: Place, wanted: Wanted | undefined, tables: Tables): Promise<void> {
  await tables(PATIENTS).change(partition, key, (current) => settledRow(wanted, current));
}

function settledRow(wanted: Wanted | undefined, current: Row | undefined): Row | 'keep' | 'remove' {
  if (!wanted) return 'remove';
  const row = { ...wanted.row, sure: wanted.entries.join(' ') };
  return isSameRow(row, current) ? 'keep' : row;
}

/** Returns the patient's own columns, and its confirmed and pending entries. */
export function partsOf(current: Row | undefined): { columns: Row; confirmed: Entry[]; pending: Entry[] } {
  const { sure, unsure, ...columns } = current ?? {};
  const listIn = (text: unknown) =>
    String(text ?? '')
      .split(' ')
      .filter(Boolean);
  return { columns, confirmed: listIn(sure), pending: listIn(unsure) };
}
