import { digest, shardOf } from '../../workflow.js';

/** Table with one row for each living patient. */
export const PATIENTS = 'patients';
/** Table with one row for each term that finds a patient. */
export const PATIENT_KEYS = 'patientkeys';

/**
 * Few partitions, so that writes share transactions; each takes 2,000 rows/s. Never change the number: rows would not
 * be found.
 */
const PARTITIONS = 8;
/** All partitions of both tables. */
export const ALL_PARTITIONS: readonly string[] = Array.from({ length: PARTITIONS }, (_, shard) => String(shard));

/** The partition and key of a row. */
export type Place = { readonly partition: string; readonly key: string };

/** Returns the place of a patient's row. Keys are digests, because keys reach the logs of storage. */
export function placeOfPatient(host: string, resourceId: string): Place {
  return placeOfKey(digest(JSON.stringify([host, resourceId])));
}

/** Returns the place of the patient's row with this key. */
export function placeOfKey(key: string): Place {
  return { partition: String(shardOf(key, PARTITIONS)), key };
}
