import { isDeepStrictEqual } from 'node:util';
import type { Row } from '../../../storage/table-store.js';
import { type Current, currentResources, rowsOfRun } from './reads.js';
import { settledIn, type TableCheck } from './table-check.js';

/** Checks that each patient who is not deleted has a row with its current values, and no other row exists. */
export const checkPatients: TableCheck = {
  workflow: 'patient-registry',
  async check(run) {
    const { fhir } = run.services;
    const left = new Map<unknown, Current>();
    for (const patient of currentResources(fhir, 'Patient')) left.set(patient.id, patient);
    const isSettled = settledIn(run, 'Patient');
    const problems: string[] = [];
    let rows = 0;
    for await (const row of rowsOfRun(run, 'patients')) {
      if (row.host !== fhir.host) continue;
      const patient = left.get(row.resourceId);
      left.delete(row.resourceId);
      rows += 1;
      if (!isSettled(row.resourceId)) continue;
      if (!patient) problems.push(`a row is there at version ${row.version} for a patient who is gone, or twice`);
      else problems.push(...differences(row, patient));
    }
    for (const { id, meta } of left.values()) {
      if (isSettled(id)) problems.push(`a row is missing for a patient at version ${meta.versionId}`);
    }
    return { rows, problems };
  },
};

/** At most one problem, with the names of columns and no values. */
function differences(row: Row, patient: Current): string[] {
  const found = seenInRow(row);
  const expected = seenInPatient(patient);
  const wrong = Object.keys(expected).filter((name) => !isDeepStrictEqual(found[name], expected[name]));
  return wrong.length === 0 ? [] : [`a row is not as version ${patient.meta.versionId} is: ${wrong.join(', ')}`];
}

type Seen = Readonly<Record<string, unknown>>;
type Part = Readonly<Record<string, unknown>>;

function seenInRow({ version, birthDate, gender, active, unsure, names, identifiers }: Row): Seen {
  return {
    version,
    birthDate,
    gender,
    active,
    unsure,
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
    unsure: undefined, // all lookup keys are confirmed
    names: partsIn(name, ['family', 'given']),
    identifiers: partsIn(identifier, ['system', 'value']),
  };
}

function partsIn(list: unknown, names: readonly string[]): unknown[] {
  return ((list ?? []) as Part[]).map((item) => names.map((name) => item[name]));
}
