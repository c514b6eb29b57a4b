import { keyedDigest } from '../../workflow.js';
import { prefixesOf } from './names.js';
import { type Patient, wordsOfPatient } from './patient.js';
import { type Place, placeOfPatient } from './places.js';

/**
 * What a patient is found by is a row of its own, with a key like `<digest of what is asked>.<key of the patient>`. All
 * but those of `replaced` are in the partition of the patient: they are written in one transaction, and who asks looks
 * into each partition. Those of `replaced` are in that of the patient replaced, so that who asks knows where.
 *
 * An entry is such a row as the row of the patient remembers it: the partition, a digit, and the digest.
 */
export type Entry = string;

export type SearchTerm =
  | { readonly kind: 'identifier'; readonly system?: string | undefined; readonly value: string }
  | { readonly kind: 'name'; readonly prefix: string }
  | { readonly kind: 'replaced'; readonly host: string; readonly resourceId: string };

/** The digest of a question. Without the key nobody can try names on it. */
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

/** All entries of a patient, each once, in order: at most 620, by what `describePatient` leaves in. */
export function entriesOf(patient: Patient, key: Uint8Array): Entry[] {
  const { host, resourceId, identifiers, links } = patient;
  const { partition } = placeOfPatient(host, resourceId);
  const term: SearchTerm[] = [
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
    ...term.map((one) => partition + digestOf(one, key)),
    ...replaced.map(
      (id) => placeOfPatient(host, id).partition + digestOf({ kind: 'replaced', host, resourceId: id }, key),
    ),
  ];
  return [...new Set(entries)].sort();
}

export function placeOfEntry(entry: Entry, patientKey: string): Place {
  return { partition: entry.charAt(0), key: `${entry.slice(1)}.${patientKey}` };
}

export function patientKeyIn(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}
