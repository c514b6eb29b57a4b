import { digest, shardOf } from '../../workflow.js';

/** One row a living patient. */
export const PATIENTS = 'patients';
/** One row for each thing that a patient is found by. */
export const PATIENT_KEYS = 'patientkeys';

/** Few, so that writes share transactions; 2,000 rows/s each. A constant: with another number, rows would not be found. */
const PARTITIONS = 8;
export const ALL_PARTITIONS: readonly string[] = Array.from({ length: PARTITIONS }, (_, shard) => String(shard));

export type Place = { readonly partition: string; readonly key: string };

/** Where the row of a patient is. Keys end up in the logs of storage, so they are digests. */
export function placeOfPatient(host: string, resourceId: string): Place {
  return placeOfKey(digest(JSON.stringify([host, resourceId])));
}

/** The same by the key alone. */
export function placeOfKey(key: string): Place {
  return { partition: String(shardOf(key, PARTITIONS)), key };
}
