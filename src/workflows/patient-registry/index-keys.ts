import { DIGEST_LENGTH, keyedDigest, type Place } from '../../workflow.js';
import { prefixesOf } from './names.js';
import { type Patient, wordsOfPatient } from './patient.js';
import { placeOfPatient } from './places.js';

/**
 * An entry of the index: a row of `patientkeys` with the key `<22 characters>.<key of the patient>`. A patient's row
 * lists its entries as text: the digit of the partition, then the 22 characters.
 *
 * The 22 characters are parts of digests. A wider search has fewer characters, so it reads a range of keys, and one row
 * answers each search that finds it:
 *
 *   word         6 characters of the digest of its shortest prefix, then 2 of each longer prefix
 *   identifier   11 characters of the digest of its value, then 11 of the digest of system and value
 *   replaced     the digest of a patient that this patient replaces
 *
 * Parts of different texts can be equal, so a lookup compares each patient that it finds. Version 0.2 had a row for each
 * prefix, with its whole digest, and two for each identifier; they stay until their patient changes.
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

// Changing a length moves all entries: searches would miss the patients that were written before.
const SHORTEST_PREFIX_LENGTH = 6;
const LONGER_PREFIX_LENGTH = 2;
const VALUE_LENGTH = DIGEST_LENGTH / 2;

/** Returns the digest of a search term. Without the key nobody can try names against the digests. */
export function digestOf(term: SearchTerm, key: Uint8Array): string {
  return keyedDigest(key, JSON.stringify(term));
}

/** Returns all entries of a patient, sorted and without duplicates: at most 160, by the limits of `describePatient`. */
export function entriesOf(patient: Patient, key: Uint8Array): Entry[] {
  const { host, resourceId, identifiers, links } = patient;
  const { partition } = placeOfPatient(host, resourceId);
  const replaced = links.flatMap(({ type, resourceId: id }) => (type === 'replaces' && id !== undefined ? [id] : []));
  const entries = [
    ...identifiers.map(({ system = null, value }) => partition + identifierKey(system, value, key)),
    ...wordsOfPatient(patient).flatMap((word) => {
      const { whole } = wordKey(word, key);
      return whole === '' ? [] : [partition + whole];
    }),
    ...replaced.map((id) => placeOfPatient(host, id).partition + digestOf(['replaced', host, id], key)),
  ];
  return [...new Set(entries)].sort();
}

/**
 * Returns the beginnings of the keys that a search reads: of today's entries, and of those of version 0.2 if they
 * differ.
 */
export function beginningsOf(term: SearchTerm, key: Uint8Array): string[] {
  const before = `${digestOf(term, key)}.`;
  const now = beginningOf(term, key);
  return before.startsWith(now) ? [now] : [now, before];
}

function beginningOf(term: SearchTerm, key: Uint8Array): string {
  switch (term[0]) {
    case 'name':
      return wordKey(term[1], key).beginning;
    case 'id': {
      const [, system, value] = term;
      return system === null ? digestOf(term, key).slice(0, VALUE_LENGTH) : identifierKey(system, value, key);
    }
    case 'replaced':
      return digestOf(term, key);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(term satisfies never)}`);
  }
}

function identifierKey(system: string | null, value: string, key: Uint8Array): string {
  const ofValue = digestOf(['id', null, value], key);
  if (system === null) return ofValue;
  return ofValue.slice(0, VALUE_LENGTH) + digestOf(['id', system, value], key).slice(0, VALUE_LENGTH);
}

/**
 * Returns `beginning`, the parts of the digests of all prefixes of `word`; and `whole`, which is filled up to the length
 * of a digest, so that a key does not show how long the word is. Both are '' if the word is too short for a search.
 */
function wordKey(word: string, key: Uint8Array): { beginning: string; whole: string } {
  const digests = prefixesOf(word).map((prefix) => digestOf(['name', prefix], key));
  const parts = digests.map((one, at) => one.slice(0, at === 0 ? SHORTEST_PREFIX_LENGTH : LONGER_PREFIX_LENGTH));
  const beginning = parts.join('').slice(0, DIGEST_LENGTH);
  return { beginning, whole: beginning + (digests.at(-1) ?? '').slice(beginning.length) };
}

/** Returns the place of an entry in `patientkeys`. */
export function placeOfEntry(entry: Entry, patientKey: string): Place {
  return { partition: entry.charAt(0), key: `${entry.slice(1)}.${patientKey}` };
}

/** Returns the key of the patient from the key of an entry. */
export function patientKeyIn(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}
