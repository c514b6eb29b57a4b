import * as z from 'zod';
import { type LookupContext, lookup, PARTITIONS } from '../../workflow.js';
import { beginningsOf, patientKeyIn, type SearchTerm } from './index-keys.js';
import { lookupKeyIn } from './lookup-key.js';
import { readPatient, survivorOf } from './merges.js';
import { matchesAll, prefixFor, wordsOf, wordsOfName } from './names.js';
import type { Patient } from './patient.js';
import { PATIENT_KEYS, placeOfKey } from './places.js';

/** Maximum number of patients' rows that a lookup reads. More need a narrower query. */
const MAX_CANDIDATES = 10_000;
const PAGE = 1000;
const READ_AT_ONCE = 25;
const MAX_WORDS = 5;
const MAX_ANSWERS = 100;

const MUST_BE_A_QUERY =
  'must be {"identifier": {"system"?, "value"}} or {"name", "birthDate"?, "gender"?}, with "limit" and "host" if you like';
const MUST_BE_A_TEXT = 'must be a text of 1 to 1024 characters';
const MUST_BE_A_LIMIT = `must be a whole number from 1 to ${MAX_ANSWERS}`;
const MUST_BE_A_DATE = 'must be like 1970, 1970-01 or 1970-01-31';

const word = z.string(MUST_BE_A_TEXT).min(1, MUST_BE_A_TEXT).max(1024, MUST_BE_A_TEXT);
const common = {
  limit: z.int(MUST_BE_A_LIMIT).min(1, MUST_BE_A_LIMIT).max(MAX_ANSWERS, MUST_BE_A_LIMIT).default(20),
  host: word.optional(),
};
const patientsQuery = z.union(
  [
    z.strictObject(
      { identifier: z.strictObject({ system: word.optional(), value: word }), ...common },
      MUST_BE_A_QUERY,
    ),
    z.strictObject(
      {
        name: word.refine((name) => prefixesIn(name).length > 0, 'must have a word of two letters at least'),
        birthDate: z
          .string(MUST_BE_A_DATE)
          .regex(/^\d{4}(-\d\d(-\d\d)?)?$/, MUST_BE_A_DATE)
          .optional(),
        gender: z.enum(['male', 'female', 'other', 'unknown'], 'must be male, female, other or unknown').optional(),
        ...common,
      },
      MUST_BE_A_QUERY,
    ),
  ],
  MUST_BE_A_QUERY,
);

type PatientsQuery = z.output<typeof patientsQuery>;
/** `mergedFrom`: ids of matching patients that were merged into this patient. */
type FoundPatient = Patient & { readonly mergedFrom?: readonly string[] };

/**
 * POST /api/lookups/patients: returns the matching patients. The index only gives candidates; each is compared with its
 * row.
 */
export const lookUpPatients = lookup({
  name: 'patients',
  query: patientsQuery,
  async answer(query, { tables, setting }) {
    const key = lookupKeyIn(setting);
    const answers = new Map<string, FoundPatient>();
    let left = MAX_CANDIDATES;
    let isMore = false;
    const index: Index = { tables, key };
    for await (const keys of candidatesFor(query, index)) {
      isMore ||= keys.length > left;
      for (let at = 0; left > 0 && at < keys.length && answers.size <= query.limit; at += READ_AT_ONCE) {
        const some = keys.slice(at, at + Math.min(READ_AT_ONCE, left));
        left -= some.length;
        const found = await Promise.all(some.map((one) => findPatient(one, query, index)));
        for (const pair of found) if (pair) add(pair, answers);
      }
      isMore ||= answers.size > query.limit;
      if (isMore) break;
    }
    return { patients: [...answers.values()].slice(0, query.limit), isMore };
  },
});

/** The tables, and the key of their digests. */
type Index = Pick<LookupContext, 'tables'> & { readonly key: Uint8Array };

/** Yields candidates page by page: a common name has many, and only their rows have the date of birth. */
async function* candidatesFor(query: PatientsQuery, { tables, key }: Index) {
  const terms = termsOf(query).map((term) => beginningsOf(term, key));
  const first = await Promise.all(PARTITIONS.map((partition) => candidatesIn(partition, terms, tables)));
  const seen = new Set<string>();
  // Several words of a patient can begin alike.
  const unseen = (keys: readonly string[]) => keys.filter((one) => !seen.has(one) && seen.add(one));
  yield unseen(first.flatMap(({ keys }) => keys));
  for (const { rest } of first) for await (const keys of rest()) yield unseen(keys);
}

/** Keys of patients. `more`: ranges that were not read to their end. */
type List = { readonly keys: readonly string[]; readonly more: readonly Range[] };
type Range = { readonly from: string; readonly to: string };

/** Returns the candidates that are in the lists of all terms. An incomplete list excludes nobody. */
async function candidatesIn(partition: string, terms: readonly string[][], tables: LookupContext['tables']) {
  const lists = await Promise.all(
    terms.map((beginnings) => listOf(beginnings.map((beginning) => ({ from: beginning, to: `${beginning}~` })))),
  );
  // Complete lists first: if the first list is incomplete, all are.
  const [shortest = { keys: [], more: [] }, ...others] = lists.sort(
    (a, b) => Number(a.more.length > 0) - Number(b.more.length > 0) || a.keys.length - b.keys.length,
  );
  const complete = others.filter(({ more }) => more.length === 0).map(({ keys }) => new Set(keys));
  return {
    keys: shortest.keys.filter((one) => complete.every((list) => list.has(one))),

    /** Yields the further pages of the shortest list. */
    async *rest(): AsyncGenerator<readonly string[]> {
      for (let { more } = shortest; more.length > 0; ) {
        const page = await listOf(more);
        more = page.more;
        yield page.keys;
      }
    },
  };

  async function listOf(ranges: readonly Range[]): Promise<List> {
    const pages = await Promise.all(ranges.map((range) => pageOf(range)));
    return { keys: pages.flatMap(({ keys }) => keys).sort(), more: pages.flatMap(({ more }) => more) };
  }

  async function pageOf({ from, to }: Range): Promise<List> {
    const rows = await tables(PATIENT_KEYS).list(partition, { from, to, limit: PAGE });
    const last = rows.at(-1)?.key;
    const isMore = rows.length === PAGE && last !== undefined;
    // '!' sorts before all characters of keys.
    return { keys: rows.map((row) => patientKeyIn(row.key)), more: isMore ? [{ from: `${last}!`, to }] : [] };
  }
}

function termsOf(query: PatientsQuery): SearchTerm[] {
  if ('identifier' in query) return [['id', query.identifier.system ?? null, query.identifier.value]];
  return prefixesIn(query.name).map((prefix) => ['name', prefix]);
}

/** Returns prefixes of the longest words, which narrow the search most. */
function prefixesIn(name: string): string[] {
  const prefixes = [...new Set(wordsOf(name).flatMap((one) => prefixFor(one) ?? []))];
  return prefixes.sort((a, b) => b.length - a.length).slice(0, MAX_WORDS);
}

async function findPatient(patientKey: string, query: PatientsQuery, { tables, key }: Index) {
  const patient = await readPatient(placeOfKey(patientKey), tables);
  if (!patient || !isMatch(patient, query)) return undefined;
  return { patient, survivor: await survivorOf(patient, tables, key) };
}

function isMatch(patient: Patient, query: PatientsQuery): boolean {
  if (query.host !== undefined && patient.host !== query.host.toLowerCase()) return false;
  if ('identifier' in query) {
    const { system, value } = query.identifier;
    return patient.identifiers.some((one) => one.value === value && (system === undefined || one.system === system));
  }
  return (
    (query.gender === undefined || patient.gender === query.gender) &&
    (query.birthDate === undefined || (patient.birthDate ?? '').startsWith(query.birthDate)) &&
    matchesAll(wordsOf(query.name), patient.names.flatMap(wordsOfName))
  );
}

function add({ patient, survivor }: { patient: Patient; survivor: Patient }, answers: Map<string, FoundPatient>): void {
  const name = JSON.stringify([survivor.host, survivor.resourceId]);
  const { mergedFrom = [], ...known }: FoundPatient = answers.get(name) ?? survivor;
  const from = patient.resourceId === survivor.resourceId ? mergedFrom : [...mergedFrom, patient.resourceId];
  answers.set(name, { ...known, ...(from.length > 0 && { mergedFrom: from }) });
}
