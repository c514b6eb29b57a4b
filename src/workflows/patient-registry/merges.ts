import type { LookupContext, Place } from '../../workflow.js';
import { digestOf, patientKeyIn } from './index-keys.js';
import { type Patient, patientOfRow } from './patient.js';
import { PATIENT_KEYS, PATIENTS, placeOfKey, placeOfPatient } from './places.js';
import { partsOf } from './update-patient.js';

type Tables = LookupContext['tables'];

const MAX_CHAIN_LENGTH = 10;
/** Limit for one patient: two survivors are already a mistake. */
const MAX_SURVIVORS = 5;

/**
 * Returns the patient that `patient` was merged into, through a chain of merges; `patient` itself if it was not merged,
 * or if the chain is a loop.
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

/** Returns the patient at a place; undefined if the place has no row. */
export async function readPatient({ partition, key }: Place, tables: Tables): Promise<Patient | undefined> {
  const row = await tables(PATIENTS).get(partition, key);
  return row && patientOfRow(partsOf(row).columns);
}

/** Returns the survivor by the patient's own link; otherwise by the link of the survivor. */
async function replacementOf({ host, resourceId, replacedBy }: Patient, tables: Tables, key: Uint8Array) {
  if (replacedBy !== undefined) return readPatient(placeOfPatient(host, replacedBy), tables);
  const term = digestOf(['replaced', host, resourceId], key);
  const { partition } = placeOfPatient(host, resourceId);
  const range = { from: `${term}.`, to: `${term}.~`, limit: MAX_SURVIVORS };
  for (const found of await tables(PATIENT_KEYS).list(partition, range)) {
    const survivor = await readPatient(placeOfKey(patientKeyIn(found.key)), tables);
    const isReplacement = survivor?.links.some((link) => link.type === 'replaces' && link.resourceId === resourceId);
    if (isReplacement) return survivor;
  }
  return undefined;
}
