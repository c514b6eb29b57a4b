import { openForReading } from '../../../src/handler/workflow-table.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createMemoryTableStore } from '../../../src/storage/memory-table-store.js';
import type { Operation, Row } from '../../../src/storage/table-store.js';
import { createFakeClock } from '../../../src/testing/index.js';
import type { Setting } from '../../../src/workflow.js';
import { entriesOf, placeOfEntry } from '../../../src/workflows/patient-registry/index-keys.js';
import { describePatient, rowOfPatient } from '../../../src/workflows/patient-registry/patient.js';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import { placeOfPatient } from '../../../src/workflows/patient-registry/places.js';
import { entriesAs02 } from './layout-02.js';
import { HOST, KEY, MRN, type Patient, person, SETTINGS } from './people.js';
import { plainSearch, type Query } from './plain-search.js';

/** `PATIENTS=100000 npm test -- patient-registry/many` looks among more. */
const COUNT = Number(process.env.PATIENTS ?? 20_000);
/** Every fiftieth patient has the rows of version 0.2. */
const EACH_02 = 50;
const LIMIT = 100;
/** The limit of the lookup itself. */
const MAX_CANDIDATES = 10_000;
const PARTITIONS = 8;
const random = seededRandom(7);
const nth = (below: number) => Math.floor(random.number() * below);
const pick = <T>(list: readonly T[]): T => list[nth(list.length)] as T;

const SYLLABLES = [
  'an',
  'bo',
  'ca',
  'di',
  'el',
  'fra',
  'gu',
  'ho',
  'in',
  'ka',
  'lo',
  'mi',
  'no',
  'po',
  'ri',
  'sta',
  'to',
  'vi',
];
const FAMILIES = Array.from({ length: 3000 }, (_, n) => {
  const syllables = [n % 18, Math.floor(n / 18) % 18, Math.floor(n / 324)];
  return syllables.map((at) => SYLLABLES[at]).join('') + (n % 5 === 0 ? 'son' : '');
});
const GIVEN = Array.from({ length: 400 }, (_, n) => `${SYLLABLES[n % 18]}${SYLLABLES[Math.floor(n / 18) % 18]}a`);
/** A seventh of all patients have one of three names. */
const COMMON = ['Nguyen', 'Müller', 'Smith'];

function makePatients(): Map<string, Partial<Patient>> {
  const patients = new Map<string, Partial<Patient>>();
  for (let n = 0; n < COUNT; n += 1) {
    const family = nth(7) === 0 ? pick(COMMON) : pick(FAMILIES);
    const year = 1920 + nth(100);
    patients.set(`p${n}`, {
      name: [{ family, given: [pick(GIVEN)] }],
      birthDate: `${year}-0${1 + nth(9)}-1${nth(10)}`,
      identifier: [{ system: MRN, value: String(n) }, ...(n % 3 === 0 ? [{ value: String(n % 1000) }] : [])],
    });
  }
  return patients;
}

/** Returns a lookup in tables that hold `patients`, and the requests and rows that it has read. */
async function openLookup(patients: ReadonlyMap<string, Partial<Patient>>) {
  const tables = createMemoryTableStore({ clock: createFakeClock() });
  for (const [table, partitions] of rowsOf(patients)) {
    await tables.create(table);
    for (const [partition, operations] of partitions) {
      for (let at = 0; at < operations.length; at += 100)
        await tables.commit(table, partition, operations.slice(at, at + 100));
    }
  }
  const counts = { queries: 0, rows: 0, reads: 0 };
  const counted = {
    ...tables,
    async query(...all: Parameters<typeof tables.query>) {
      const page = await tables.query(...all);
      counts.queries += 1;
      counts.rows += page.rows.length;
      return page;
    },
    read(...all: Parameters<typeof tables.read>) {
      counts.reads += 1;
      return tables.read(...all);
    },
  };
  const setting: Setting = (name) => SETTINGS[name as keyof typeof SETTINGS];
  const { lookup } = patientRegistry;
  if (!lookup) throw new TypeError('The workflow has no lookup.');
  return async (query: Query) => {
    Object.assign(counts, { queries: 0, rows: 0, reads: 0 });
    const context = { tables: (name: string) => openForReading(name, counted), setting };
    const answer = await lookup.answer(lookup.query.parse({ ...query, limit: LIMIT }), context);
    const { patients: found, isMore } = answer as { patients: { resourceId: string }[]; isMore: boolean };
    return { ids: found.map(({ resourceId }) => resourceId).sort(), isMore, counts: { ...counts } };
  };
}

type Rows = Map<string, Map<string, Operation[]>>;

function rowsOf(patients: ReadonlyMap<string, Partial<Patient>>): Rows {
  const rows: Rows = new Map();
  const add = (table: string, { partition, key }: { partition: string; key: string }, row: Row) => {
    const ofTable = rows.get(table) ?? new Map<string, Operation[]>();
    const operations = ofTable.get(partition) ?? [];
    operations.push({ kind: 'insert', key, row });
    rows.set(table, ofTable.set(partition, operations));
  };
  let n = 0;
  for (const [resourceId, fields] of patients) {
    const patient = describePatient(person(resourceId, 1, fields), { host: HOST, resourceId, version: 1 });
    const place = placeOfPatient(HOST, resourceId);
    const entries = n % EACH_02 === 0 ? entriesAs02(patient) : entriesOf(patient, KEY);
    add('patients', place, { ...rowOfPatient(patient), sure: entries.join(' ') });
    for (const entry of entries) add('patientkeys', placeOfEntry(entry, place.key), {});
    n += 1;
  }
  return rows;
}

function makeQueries(patients: ReadonlyMap<string, Partial<Patient>>): Query[] {
  return Array.from({ length: 120 }, (_, n): Query => {
    const { name = [], birthDate = '', identifier = [] } = patients.get(`p${nth(COUNT)}`) ?? {};
    const { family = '', given = [] } = name[0] ?? {};
    const some = (word = '') => word.slice(0, 2 + nth(word.length));
    switch (n % 6) {
      case 0:
        return { name: some(family) };
      case 1:
        return { name: `${some(family)} ${some(given[0])}` };
      case 2:
        return { name: some(family), birthDate: birthDate.slice(0, pick([4, 7, 10])) };
      case 3:
        return { name: `${some(given[0])} ${some(family)}`, birthDate };
      case 4:
        return { identifier: { system: MRN, value: identifier[0]?.value ?? '' } };
      default:
        return { identifier: { value: identifier.at(-1)?.value ?? '' } };
    }
  });
}

describe('when there are very many patients, some with the rows of version 0.2', () => {
  const patients = makePatients();
  const find = plainSearch(patients);
  let lookUp: Awaited<ReturnType<typeof openLookup>>;
  beforeAll(async () => {
    lookUp = await openLookup(patients);
  });

  it('given any query, then the lookup finds what a look at each patient finds, or as many as the limit allows', async () => {
    let whole = 0;
    for (const query of makeQueries(patients)) {
      const expected = find(query);
      const { ids, isMore } = await lookUp(query);
      const ofWords = query.name?.split(' ').map((name) => find({ name }).length);
      const isTooMuch = expected.length > LIMIT || Math.min(...(ofWords ?? [0])) > MAX_CANDIDATES;
      expect({ query, isMore }).toEqual({ query, isMore: isTooMuch });
      if (isMore) expect(expected).toEqual(expect.arrayContaining(ids));
      else expect({ query, ids }).toEqual({ query, ids: expected });
      if (expected.length > LIMIT) expect(ids).toHaveLength(LIMIT);
      whole += isMore ? 0 : 1;
    }
    expect(whole).toBeGreaterThan(60);
  });

  it('given a common name, then the lookup reads a page of each partition and layout, and as many patients as it needs', async () => {
    for (const name of ['ngu', 'nguyen', 'muller', 'sm']) {
      const { ids, isMore, counts } = await lookUp({ name });

      expect({ count: ids.length, isMore }).toEqual({ count: LIMIT, isMore: true });
      expect(counts.queries).toBeLessThan(2 * PARTITIONS + 2 * LIMIT); // one for each patient found, who may be merged
      expect(counts.reads).toBeLessThan(2 * LIMIT);
    }
  });

  it('given a rare name, then the lookup reads hardly more rows than it finds', async () => {
    let rows = 0;
    let found = 0;
    for (const name of FAMILIES.slice(-50).filter((family) => find({ name: family }).length <= LIMIT)) {
      const { ids, isMore, counts } = await lookUp({ name });
      expect({ name, isMore }).toEqual({ name, isMore: false });
      rows += counts.rows;
      found += ids.length;
    }
    expect(found).toBeGreaterThan(200);
    expect(rows).toBeLessThan(1.2 * found);
  });
});
