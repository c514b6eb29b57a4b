import fc from 'fast-check';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import { placeOfPatient } from '../../../src/workflows/patient-registry/places.js';
import { becomesAs02 } from './layout-02.js';
import { HOST, MRN, type Patient, startRegistry } from './people.js';
import { plainSearch, type Query } from './plain-search.js';

const NAMES = [
  'Ng',
  'Nguyen',
  'Nguyet',
  "O'Brien",
  'Müller',
  'Wolfeschlegelstein',
  'Wolfeschlegelberg',
  '王',
  '小明',
  '김',
];
const SYSTEMS = [MRN, 'http://other.example'];

const word = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 13 }),
);
const day = fc.constantFrom('1970-02-03', '1970-02-04', '1980');
const gender = fc.constantFrom('male', 'female');
const identifier = fc.record(
  { system: fc.constantFrom(...SYSTEMS), value: fc.constantFrom('1', '2', '12') },
  { requiredKeys: ['value'] },
);
const name = fc.record({ family: word, given: fc.array(word, { maxLength: 2 }) });
const fields = fc.record(
  {
    name: fc.array(name, { maxLength: 2 }),
    identifier: fc.array(identifier, { maxLength: 2 }),
    birthDate: day,
    gender,
  },
  { requiredKeys: [] },
);
const step = fc.record({
  id: fc.constantFrom('p0', 'p1', 'p2', 'p3', 'p4', 'p5'),
  fields: fc.option(fields, { nil: undefined, freq: 6 }),
  is02: fc.boolean(),
});
const beginning = fc.tuple(word, fc.nat(12)).map(([whole, length]) => [...whole].slice(0, length + 1).join(''));
const query = fc.oneof(
  fc.record(
    { name: fc.array(beginning, { minLength: 1, maxLength: 3 }).map((all) => all.join(' ')), birthDate: day, gender },
    { requiredKeys: ['name'] },
  ),
  fc.record({ identifier }),
) as fc.Arbitrary<Query>;

/** Returns whether the lookup accepts the query: it refuses a name of single Latin letters. */
const isQuery = (one: Query) => patientRegistry.lookup?.query.safeParse(one).success;

/** Returns the ids in the order of the patients' rows in storage, as answers have them. */
function inOrder(ids: readonly string[]): string[] {
  const orderOf = (id: string) => Object.values(placeOfPatient(HOST, id)).join();
  return [...ids].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

describe('when patients come, change and go, written by this version and by 0.2', () => {
  it('given any query, then the lookup finds what a look at each patient finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.array(query, { minLength: 1, maxLength: 8 }),
        async (steps, queries) => {
          const registry = startRegistry();
          const current = new Map<string, Partial<Patient>>();
          for (const { id, fields, is02 } of steps) {
            if (fields) current.set(id, fields as Partial<Patient>);
            else current.delete(id);
            if (is02) await becomesAs02(registry.tables, id, fields as Partial<Patient>);
            else await registry.becomes(id, fields as Partial<Patient>);
          }
          const find = plainSearch(current);
          for (const one of queries.filter(isQuery)) {
            const { patients, isMore } = await registry.search({ ...one, limit: 100 });
            const ids = patients.map(({ resourceId }) => resourceId);
            expect({ query: one, ids, isMore }).toEqual({ query: one, ids: inOrder(find(one)), isMore: false });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
