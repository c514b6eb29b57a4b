import { isDeepStrictEqual } from 'node:util';
import type { Stored } from '../../../storage/table-store.js';
import { type Current, currentResources, storedOfRun } from './reads.js';
import { type CheckedRun, settledIn, type TableCheck } from './table-check.js';

/**
 * Checks that each patient who is not deleted has a row with its current values and the rows that a search finds it by,
 * and no other patient has a row.
 */
export const checkPatients: TableCheck = {
  workflow: 'patient-registry',
  async check(run) {
    const { fhir } = run.services;
    const left = new Map<unknown, Current>();
    for (const patient of currentResources(fhir, 'Patient')) left.set(patient.id, patient);
    const isSettled = settledIn(run, 'Patient');
    const problems: string[] = [];
    let rows = 0;
    const entries = await entriesOfRun(run);
    for await (const stored of storedOfRun(run, 'patients')) {
      const { row } = stored;
      if (row.host !== fhir.host) continue;
      const patient = left.get(row.resourceId);
      left.delete(row.resourceId);
      rows += 1;
      if (!isSettled(row.resourceId)) continue;
      if (!patient) problems.push(`a row is there at version ${row.version} for a patient who is gone, or twice`);
      else problems.push(...differences(seenInRow(stored, entries), patient));
    }
    for (const { id, meta } of left.values()) {
      if (isSettled(id)) problems.push(`a row is missing for a patient at version ${meta.versionId}`);
    }
    return { rows, problems };
  },
};

/** Returns one problem at most, with the names of columns and no values. */
function differences(found: Seen, patient: Current): string[] {
  const expected = seenInPatient(patient);
  const wrong = Object.keys(expected).filter((name) => !isDeepStrictEqual(found[name], expected[name]));
  return wrong.length === 0 ? [] : [`a row is not as version ${patient.meta.versionId} is: ${wrong.join(', ')}`];
}

type Seen = Readonly<Record<string, unknown>>;
type Part = Readonly<Record<string, unknown>>;

function seenInRow(stored: Stored, entries: ReadonlySet<string>): Seen {
  const { version, birthDate, gender, active, names, identifiers } = stored.row;
  return {
    version,
    birthDate,
    gender,
    active,
    unsure: unsureIn(stored, entries),
    names: partsIn(JSON.parse(String(names)), ['family', 'given']),
    identifiers: partsIn(JSON.parse(String(identifiers)), ['system', 'value']),
  };
}

function seenInPatient({ meta, birthDate, gender, active, name, identifier }: Current): Seen {
  return {
    version: Number(meta.versionId),
    birthDate,
    gender,
    active,
    unsure: [],
    names: partsIn(name, ['family', 'given']),
    identifiers: partsIn(identifier, ['system', 'value']),
  };
}

/** Returns the entries that the row lists as pending and that are not written, or are not known to be. */
function unsureIn({ key, row: { unsure = '', sureAfter } }: Stored, entries: ReadonlySet<string>): string[] {
  const pending = String(unsure).split(' ').filter(Boolean);
  return sureAfter === undefined ? pending : pending.filter((entry) => !entries.has(`${entry}.${key}`));
}

async function entriesOfRun(run: CheckedRun): Promise<Set<string>> {
  const entries = new Set<string>();
  for await (const { partition, key } of storedOfRun(run, 'patientkeys')) entries.add(partition + key);
  return entries;
}

function partsIn(list: unknown, names: readonly string[]): unknown[] {
  return ((list ?? []) as Part[]).map((item) => names.map((name) => item[name]));
}
