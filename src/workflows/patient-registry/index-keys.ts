import { keyedDigest, type Place } from '../../workflow.js';
import { prefixesOf } from './names.js';
import { type Patient, wordsOfPatient } from './patient.js';
import { placeOfPatient } from './places.js';

/**
 * An entry of the index: a row of `patientkeys` with the key `<digest of the search term>.<key of the patient>`. A
 * patient's row lists its entries as text: the digit of the partition, then the digest.
 *
 * Entries are in the patient's own partition, so that one transaction writes them; a lookup queries every partition.
 * Entries of `replaced` are in the partition of the replaced patient, so that a lookup knows where.
 */
export type Entry = string;

/** A term that people search by. Its JSON text is digested, so the form never changes. */
export type SearchTerm =
  | readonly ['id', system: string | null, value: string]
  | readonly ['name', prefix: string]
  | readonly ['replaced', host: string, resourceId: string];

/** Returns the digest of a search term. Without the key nobody can try names against the digests. */
export function digestOf(term: SearchTerm, key: Uint8Array): string {
  return keyedDigest(key, JSON.stringify(term));
}

/** Returns all entries of a patient, sorted and without duplicates: at most 620, by the limits of `describePatient`. */
export function entriesOf(patient: Patient, key: Uint8Array): Entry[] {
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
  const entries = [
    ...terms.map((one) => partition + digestOf(one, key)),
    ...replaced.map((id) => placeOfPatient(host, id).partition + digestOf(['replaced', host, id], key)),
  ];
  return [...new Set(entries)].sort();
}

export function placeOfEntry(entry: Entry, patientKey: string): Place {
  return { partition: entry.charAt(0), key: `${entry.slice(1)}.${patientKey}` };
}

/** Returns the key of the patient from the key of an entry. */
export function patientKeyIn(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}
