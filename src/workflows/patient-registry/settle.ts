import type { Row, WorkflowTable } from '../../workflow.js';
import { type Entry, placeOfEntry } from './index-keys.js';
import { PATIENT_KEYS, PATIENTS, type Place } from './places.js';

/** What a patient's row is to be, and by what it is to be found. */
export type Wanted = { readonly row: Row; readonly entries: readonly Entry[] };

type Tables = (name: string) => WorkflowTable;

/** In one column, of 23 characters each and a blank; twice what one patient has. */
const MAX_PENDING = 1300;

// The row of a patient remembers its entries: `sure` are those that are there, `unsure` those that may be there or not.
//
//   begin    row: what it is to be, with all that will change among the entries in `unsure`
//   index    rows of entries: written or removed, those in `unsure` alone
//   finish   row: all entries `sure`; where the patient is gone, the row is removed
//
// Where no entry changes, there is one write. Who dies in between leaves a row that says what is unsure, and whoever
// comes next, with this version or another one, puts it in order. An entry that is unsure is always written, be it
// there or not: then it has the fence of the new holder, and a former one that wakes up cannot remove it. The one thing
// a former holder can do is to write an entry, as late as its lease allows, that nobody has written since: it is never
// removed, and does no harm, for who looks up compares with the row.

/** Makes the rows of a patient what they are to be; undefined: gone. `isNew`: probably there is none yet. */
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
        await index(place, plan.unsure, new Set(wanted?.entries), tables);
        return finish(place, wanted, tables);
      case 'too-many':
        await index(place, plan.unsure, new Set(), tables);
        for (const entry of plan.unsure) gone.add(entry);
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(plan satisfies never)}`);
    }
  }
}

type Plan =
  | { kind: 'settled' }
  | { kind: 'index'; unsure: Entry[] }
  /** Several who died have left more behind than has room in a row: that goes first. */
  | { kind: 'too-many'; unsure: Entry[] };

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
  const { columns, sure, unsure: left } = partsOf(current);
  const aims = new Set(wanted?.entries);
  const inOrder = new Set(sure);
  const unsure = [
    ...new Set([
      ...left.filter((entry) => !gone.has(entry)),
      ...[...aims].filter((entry) => !inOrder.has(entry)),
      ...sure.filter((entry) => !aims.has(entry)),
    ]),
  ].sort();
  if (unsure.length > MAX_PENDING) return { plan: { kind: 'too-many', unsure: left }, row: 'keep' };
  if (unsure.length === 0) return { plan: { kind: 'settled' }, row: settledRow(wanted, current) };
  const kept = sure.filter((entry) => aims.has(entry));
  const row = { ...(wanted?.row ?? columns), sure: kept.join(' '), unsure: unsure.join(' ') };
  return { plan: { kind: 'index', unsure }, row: unlessSame(row, current) };
}

/** All at once: those of one partition share a transaction. */
async function index(
  { key: patientKey }: Place,
  unsure: readonly Entry[],
  aims: ReadonlySet<Entry>,
  tables: Tables,
): Promise<void> {
  const keys = tables(PATIENT_KEYS);
  await Promise.all(
    unsure.map((entry) => {
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
  return wanted ? unlessSame({ ...wanted.row, sure: wanted.entries.join(' ') }, current) : 'remove';
}

/** The columns of a row that are of the patient, and what the others say of its entries. */
export function partsOf(current: Row | undefined): { columns: Row; sure: Entry[]; unsure: Entry[] } {
  const { sure, unsure, ...columns } = current ?? {};
  const listIn = (text: unknown) =>
    String(text ?? '')
      .split(' ')
      .filter(Boolean);
  return { columns, sure: listIn(sure), unsure: listIn(unsure) };
}

function unlessSame(row: Row, current: Row = {}): Row | 'keep' {
  const names = Object.keys(row);
  const isSame = names.length === Object.keys(current).length && names.every((name) => row[name] === current[name]);
  return isSame ? 'keep' : row;
}
