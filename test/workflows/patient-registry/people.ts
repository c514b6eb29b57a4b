import { createTestKit, fhirEvent } from '../../../src/testing/index.js';
import type { FhirResource, ResourceOf } from '../../../src/workflow.js';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import type { RowsOf, StoryEvent } from '../every-crash.js';

export const HOST = 'test.fhir.example';
export const KEY = Buffer.alloc(32, 7);
export const SETTINGS = { LOOKUP_KEY: KEY.toString('base64'), FHIR_HOSTS: HOST };
export const MRN = 'http://hospital.example/mrn';

export type Patient = ResourceOf<'Patient'>;

/** Returns a patient as the service gives it. */
export function person(id: string, version: number, fields: Partial<Patient> = {}): Patient {
  return { resourceType: 'Patient', id, meta: { versionId: String(version) }, ...fields };
}

/** Returns an event of a story, and the patient from then on; without `fields`, a deletion. */
export function patientEvent(resourceId: string, version: number, fields?: Partial<Patient>): StoryEvent {
  const change = version === 1 ? 'created' : fields ? 'updated' : 'deleted';
  const event = fhirEvent({ resourceId, version, change });
  return { event, content: fields && person(resourceId, version, fields) };
}

/** Returns a test kit with a short form for patients and lookups. */
export function startRegistry() {
  const kit = createTestKit({ settings: SETTINGS });
  let version = 0;
  return {
    ...kit,
    /** Undefined `fields` delete the patient. */
    async becomes(id: string, fields: Partial<Patient> | undefined, host = HOST) {
      version += 1;
      const event = fhirEvent({ resourceId: id, version, change: fields ? 'updated' : 'deleted', host });
      return kit.run(patientRegistry, event, { resource: fields && person(id, version, fields) });
    },
    async search(query: unknown) {
      const { patients, isMore } = await kit.lookup(patientRegistry, query);
      const found = patients as { resourceId: string; mergedFrom?: string[] }[];
      return { patients: found, ids: found.map(({ resourceId }) => resourceId).sort(), isMore };
    },
  };
}

/** Returns the tables that a story must end with: its final state alone, written to empty tables. */
export async function endOf(story: readonly StoryEvent[]) {
  const current = new Map<string, FhirResource | undefined>();
  for (const { event, content } of story) if (event.service === 'fhir') current.set(event.resourceId, content);
  const kit = createTestKit({ settings: SETTINGS });
  for (const [resourceId, resource] of current) {
    if (resource) await kit.run(patientRegistry, fhirEvent({ resourceId }), { resource });
  }
  return tablesOf((table) => kit.rows(table));
}

/** Returns the tables, without what depends on the way: which run has written an entry, and whether a later run followed. */
export function tablesOf(rowsOf: RowsOf) {
  const patients = rowsOf('patients').map(({ row, ...place }) => {
    const { sure = '', unsure = '', sureAfter, ...columns } = row;
    const isLeft = unsure !== '' && sureAfter === undefined;
    return { ...place, row: { ...columns, entries: `${sure} ${unsure}`.trim().split(' ').sort(), isLeft } };
  });
  return { patients, patientkeys: rowsOf('patientkeys') };
}
