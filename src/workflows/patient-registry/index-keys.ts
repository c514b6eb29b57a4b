import { keyedDigest, type Place } from '../../workflow.js';
import { prefixesOf } from './names.js';
import { type Patient, wordsOfPatient } from './patient.js';
import { placeOfPatient } from './places.js';

/**
 * An entry of the index: a row of `patientkeys` with the key `<digest of the search term>.<key of the patient>`. A
 * patient's row lists its entries as text: the digit of the partition, then the digest.
 *
 * Entries are in the patient's own partition, so that one transaction writes them; a look-up queries every partition.
 * Entries of `replaced` are in the partition of the replaced patient, so that a look-up knows where.
 */
export type Entry = string;

export type SearchTerm =
  | { readonly kind: 'identifier'; readonly system?: string | undefined; readonly value: string }
  | { readonly kind: 'name'; readonly prefix: string }
  | { readonly kind: 'replaced'; readonly host: string; readonly resourceId: string };

/** Returns the digest of a search term. Without the key nobody can try names against the digests. */
export function digestOf(term: SearchTerm, key: Uint8Array): string {
  switch (term.kind) {
    case 'identifier':
      return keyedDigest(key, JSON.stringify(['id', term.system ?? null, term.value]));
    case 'name':
      return keyedDigest(key, JSON.stringify(['name', term.prefix]));
    case 'replaced':
      return keyedDigest(key, JSON.stringify(['replaced', term.host, term.resourceId]));
    default:
      throw new TypeError(`unhandled ${JSON.stringify(term satisfies never)}`);
  }
}

/** Returns all entries of a patient, sorted and without duplicates: at most 620, by the limits of `describePatient`. */
export function entriesOf(patient: Patient, key: Uint8Array): Entry[] {
  const { host, resourceId, identifiers, links } = patient;
  const { partition } = placeOfPatient(host, resourceId);
  const terms: SearchTerm[] = [
    ...identifiers.flatMap(({ system, value }): SearchTerm[] => [
      { kind: 'identifier', value },
      ...(system === undefined ? [] : [{ kind: 'identifier', system, value } as const]),
    ]),
    ...wordsOfPatient(patient)
      .flatMap(prefixesOf)
      .map((prefix): SearchTerm => ({ kind: 'name', prefix })),
  ];
  const replaced = links.flatMap(({ type, resourceId: id }) => (type === 'replaces' && id !== undefined ? [id] : []));
  const entries = [
    ...terms.map((one) => partition + digestOf(one, key)),
    ...replaced.map(
      (id) => placeOfPatient(host, id).partition + digestOf({ kind: 'replaced', host, resourceId: id }, key),
    ),
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
