import { digest, type Place, partitionOf } from '../../workflow.js';

/** Table with one row for each existing patient. */
export const PATIENTS = 'patients';
/** Table with one row for each term that finds a patient. */
export const PATIENT_KEYS = 'patientkeys';

/** Returns the place of a patient's row. Keys are digests, because keys reach the logs of storage. */
export function placeOfPatient(host: string, resourceId: string): Place {
  return placeOfKey(digest(JSON.stringify([host, resourceId])));
}

/** Returns the place of the patient's row with this key. */
export function placeOfKey(key: string): Place {
  return { partition: partitionOf(key), key };
}
