import type { TestKit } from '../../../src/testing/index.js';
import { digestOf, type Entry, type SearchTerm } from '../../../src/workflows/patient-registry/index-keys.js';
import { prefixesOf } from '../../../src/workflows/patient-registry/names.js';
import {
  describePatient,
  type Patient,
  rowOfPatient,
  wordsOfPatient,
} from '../../../src/workflows/patient-registry/patient.js';
import { placeOfPatient } from '../../../src/workflows/patient-registry/places.js';
import { updatePatient } from '../../../src/workflows/patient-registry/update-patient.js';
import { type Patient as Fields, HOST, KEY, person } from './people.js';

/** Returns the entries of a patient as version 0.2 has made them: one for each prefix, two for each identifier. */
export function entriesAs02(patient: Patient): Entry[] {
  const { host, resourceId, identifiers, links } = patient;
  const { partition } = placeOfPatient(host, resourceId);
  const terms: SearchTerm[] = [
    ...identifiers.flatMap(({ system = null, value }) => [
      ['id', null, value] as const,
      ['id', system, value] as const,
    ]),
    ...wordsOfPatient(patient)
      .flatMap(prefixesOf)
      .map((prefix) => ['name', prefix] as const),
  ];
  const replaced = links.flatMap(({ type, resourceId: id }) => (type === 'replaces' && id !== undefined ? [id] : []));
  return [
    ...new Set([
      ...terms.map((term) => partition + digestOf(term, KEY)),
      ...replaced.map((id) => placeOfPatient(host, id).partition + digestOf(['replaced', host, id], KEY)),
    ]),
  ].sort();
}

/** Writes a patient as version 0.2 does; undefined `fields` remove it. */
export async function becomesAs02(tables: TestKit['tables'], id: string, fields: Partial<Fields> | undefined) {
  const patient = fields && describePatient(person(id, 1, fields), { host: HOST, resourceId: id, version: 1 });
  const wanted = patient && { row: rowOfPatient(patient), entries: entriesAs02(patient) };
  await updatePatient(placeOfPatient(HOST, id), wanted, {
    tables,
    isNew: false,
    fence: undefined,
    completedFence: undefined,
  });
}
