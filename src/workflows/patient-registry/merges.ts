import type { LookupContext, Row } from '../../workflow.js';
import { digestOf, patientKeyIn } from './index-keys.js';
import { type Patient, patientOfRow } from './patient.js';
import { PATIENT_KEYS, PATIENTS, type Place, placeOfKey, placeOfPatient } from './places.js';
import { partsOf } from './settle.js';

type Tables = LookupContext['tables'];

const MAX_CHAIN_LENGTH = 10;
/** Of one patient: two are a mistake already. */
const MAX_SURVIVORS = 5;

/**
 * The patient that `patient` was merged into, and that one, and so on; itself where it was not. A loop leads nowhere:
 * then it is itself, too.
 */
export async function survivorOf(patient: Patient, tables: Tables, key: Uint8Array): Promise<Patient> {
  const seen = new Set([patient.resourceId]);
  let survivor = patient;
  for (let length = 0; length < MAX_CHAIN_LENGTH; length += 1) {
    const next = await replacementOf(survivor, tables, key);
    if (!next) return survivor;
    if (seen.has(next.resourceId)) return patient;
    seen.add(next.resourceId);
    survivor = next;
  }
  return survivor;
}

export async function readPatient({ partition, key }: Place, tables: Tables): Promise<Patient | undefined> {
  const row: Row | undefined = await tables(PATIENTS).get(partition, key);
  return row && patientOfRow(partsOf(row).columns);
}

/** What the patient itself says counts; else the survivor may say it. */
async function replacementOf({ host, resourceId, replacedBy }: Patient, tables: Tables, key: Uint8Array) {
  if (replacedBy !== undefined) return readPatient(placeOfPatient(host, replacedBy), tables);
  const asked = digestOf({ kind: 'replaced', host, resourceId }, key);
  const { partition } = placeOfPatient(host, resourceId);
  const range = { from: `${asked}.`, to: `${asked}.~`, limit: MAX_SURVIVORS };
  for (const found of await tables(PATIENT_KEYS).list(partition, range)) {
    const survivor = await readPatient(placeOfKey(patientKeyIn(found.key)), tables);
    const isSo = survivor?.links.some((link) => link.type === 'replaces' && link.resourceId === resourceId);
    if (isSo) return survivor;
  }
  return undefined;
}
