import { z } from 'zod';
import { type LookupContext, lookup, PARTITIONS } from '../../workflow.js';
import { digestOf, patientKeyIn, type SearchTerm } from './index-keys.js';
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
    for await (const keys of candidatesFor(query, tables, key)) {
      isMore ||= keys.length > left;
      for (let at = 0; left > 0 && at < keys.length && answers.size <= query.limit; at += READ_AT_ONCE) {
        const some = keys.slice(at, at + Math.min(READ_AT_ONCE, left));
        left -= some.length;
        const found = await Promise.all(some.map((one) => findPatient(one, query, tables, key)));
        for (const pair of found) if (pair) add(pair, answers);
      }
      isMore ||= answers.size > query.limit;
      if (isMore) break;
    }
    return { patients: [...answers.values()].slice(0, query.limit), isMore };
  },
});

/** Yields candidates page by page: a common name has many, and only their rows have the date of birth. */
async function* candidatesFor(query: PatientsQuery, tables: LookupContext['tables'], key: Uint8Array) {
  const digests = termsOf(query).map((term) => digestOf(term, key));
  const first = await Promise.all(PARTITIONS.map((partition) => candidatesIn(partition, digests, tables)));
  yield first.flatMap(({ keys }) => keys);
  for (const { rest } of first) yield* rest();
}

/** Returns the candidates that are in all lists of `digests`. An incomplete list excludes nobody. */
async function candidatesIn(partition: string, digests: readonly string[], tables: LookupContext['tables']) {
  const page = async (digest: string, from: string) => {
    const rows = await tables(PATIENT_KEYS).list(partition, { from, to: `${digest}.~`, limit: PAGE });
    return { digest, keys: rows.map((row) => patientKeyIn(row.key)) };
  };
  const lists = await Promise.all(digests.map((digest) => page(digest, `${digest}.`)));
  const [shortest = { digest: '', keys: [] }, ...others] = lists.sort((a, b) => a.keys.length - b.keys.length);
  const whole = others.filter(({ keys }) => keys.length < PAGE).map(({ keys }) => new Set(keys));
  return {
    keys: shortest.keys.filter((one) => whole.every((list) => list.has(one))),

    /** Yields the further pages of the shortest list. If it has more pages, no other list is complete. */
    async *rest(): AsyncGenerator<string[]> {
      const { digest } = shortest;
      let { keys } = shortest;
      while (keys.length === PAGE) {
        ({ keys } = await page(digest, `${digest}.${keys.at(-1)}!`)); // '!' sorts before all characters of keys
        yield keys;
      }
    },
  };
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

async function findPatient(patientKey: string, query: PatientsQuery, tables: LookupContext['tables'], key: Uint8Array) {
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
