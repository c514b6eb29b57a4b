import { z } from 'zod';
import { type LookupContext, lookup } from '../../workflow.js';
import { type Asked, digestOf, patientKeyIn } from './index-keys.js';
import { lookupKeyIn } from './lookup-key.js';
import { readPatient, survivorOf } from './merges.js';
import { matchesAll, prefixFor, wordsOf, wordsOfName } from './names.js';
import type { Patient } from './patient.js';
import { ALL_PARTITIONS, PATIENT_KEYS, placeOfKey } from './places.js';

/** Of these, rows are read, at most; what comes after is left to a narrower question. */
const MAX_CANDIDATES = 10_000;
const PAGE = 1000;
const READ_AT_ONCE = 25;
const MAX_WORDS = 5;
const MAX_ANSWERS = 100;

const A_QUESTION =
  'must be {"identifier": {"system"?, "value"}} or {"name", "birthDate"?, "gender"?}, with "limit" and "host" if you like';
const A_TEXT = 'must be a text of 1 to 1024 characters';
const A_LIMIT = `must be a whole number from 1 to ${MAX_ANSWERS}`;
const A_DATE = 'must be like 1970, 1970-01 or 1970-01-31';

const word = z.string(A_TEXT).min(1, A_TEXT).max(1024, A_TEXT);
const common = {
  limit: z.int(A_LIMIT).min(1, A_LIMIT).max(MAX_ANSWERS, A_LIMIT).default(20),
  host: word.optional(),
};
const question = z.union(
  [
    z.strictObject({ identifier: z.strictObject({ system: word.optional(), value: word }), ...common }, A_QUESTION),
    z.strictObject(
      {
        name: word.refine((name) => prefixesIn(name).length > 0, 'must have a word of two letters at least'),
        birthDate: z
          .string(A_DATE)
          .regex(/^\d{4}(-\d\d(-\d\d)?)?$/, A_DATE)
          .optional(),
        gender: z.enum(['male', 'female', 'other', 'unknown'], 'must be male, female, other or unknown').optional(),
        ...common,
      },
      A_QUESTION,
    ),
  ],
  A_QUESTION,
);

type Question = z.output<typeof question>;
/** `mergedFrom`: those that were meant, and were merged into it. */
type Answered = Patient & { readonly mergedFrom?: readonly string[] };

/** POST /api/lookups/patients. What the index says is only who may be meant: each is compared with its row. */
export const lookUpPatients = lookup({
  name: 'patients',
  query: question,
  async answer(query, { tables, setting }) {
    const key = lookupKeyIn(setting);
    const answers = new Map<string, Answered>();
    let left = MAX_CANDIDATES;
    let isMore = false;
    for await (const keys of candidatesFor(query, tables, key)) {
      isMore ||= keys.length > left;
      for (let at = 0; left > 0 && at < keys.length && answers.size <= query.limit; at += READ_AT_ONCE) {
        const some = keys.slice(at, at + Math.min(READ_AT_ONCE, left));
        left -= some.length;
        const found = await Promise.all(some.map((one) => findOne(one, query, tables, key)));
        for (const pair of found) if (pair) add(pair, answers);
      }
      isMore ||= answers.size > query.limit;
      if (isMore) break;
    }
    return { patients: [...answers.values()].slice(0, query.limit), isMore };
  },
});

/** Page after page as they are asked for: of a common name there are many, and a date of birth is in their rows alone. */
async function* candidatesFor(query: Question, tables: LookupContext['tables'], key: Uint8Array) {
  const digests = askedIn(query).map((asked) => digestOf(asked, key));
  const first = await Promise.all(ALL_PARTITIONS.map((partition) => candidatesIn(partition, digests, tables)));
  yield first.flatMap(({ keys }) => keys);
  for (const { rest } of first) yield* rest();
}

/** Those that all of `digests` lead to, as far as that can be told: a list that goes on says nothing about who is not in it. */
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

    /** What comes after it; where there is something, no other list is whole. */
    async *rest(): AsyncGenerator<string[]> {
      const { digest } = shortest;
      let { keys } = shortest;
      while (keys.length === PAGE) {
        ({ keys } = await page(digest, `${digest}.${keys.at(-1)}!`)); // '!' comes before all that keys are made of
        yield keys;
      }
    },
  };
}

function askedIn(query: Question): Asked[] {
  if ('identifier' in query) return [{ kind: 'identifier', ...query.identifier }];
  return prefixesIn(query.name).map((prefix) => ({ kind: 'name', prefix }));
}

/** Of the longest words: they say most. */
function prefixesIn(name: string): string[] {
  const prefixes = [...new Set(wordsOf(name).flatMap((one) => prefixFor(one) ?? []))];
  return prefixes.sort((a, b) => b.length - a.length).slice(0, MAX_WORDS);
}

async function findOne(patientKey: string, query: Question, tables: LookupContext['tables'], key: Uint8Array) {
  const patient = await readPatient(placeOfKey(patientKey), tables);
  if (!patient || !isMeant(patient, query)) return undefined;
  return { patient, survivor: await survivorOf(patient, tables, key) };
}

function isMeant(patient: Patient, query: Question): boolean {
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

function add({ patient, survivor }: { patient: Patient; survivor: Patient }, answers: Map<string, Answered>): void {
  const name = JSON.stringify([survivor.host, survivor.resourceId]);
  const { mergedFrom = [], ...known }: Answered = answers.get(name) ?? survivor;
  const from = patient.resourceId === survivor.resourceId ? mergedFrom : [...mergedFrom, patient.resourceId];
  answers.set(name, { ...known, ...(from.length > 0 && { mergedFrom: from }) });
}
