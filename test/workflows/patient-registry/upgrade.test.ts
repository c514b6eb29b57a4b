import { createTestKit } from '../../../src/testing/index.js';
import type { Context } from '../../../src/workflow.js';
import { entriesOf } from '../../../src/workflows/patient-registry/index-keys.js';
import { describePatient, rowOfPatient } from '../../../src/workflows/patient-registry/patient.js';
import { placeOfPatient } from '../../../src/workflows/patient-registry/places.js';
import { updatePatient } from '../../../src/workflows/patient-registry/update-patient.js';
import { becomesAs02, entriesAs02 } from './layout-02.js';
import { HOST, KEY, MRN, type Patient, person, startRegistry } from './people.js';

const FIELDS: Partial<Patient> = {
  name: [{ family: 'Wolfeschlegelstein', given: ['Zoë', '小明'] }, { text: 'Ng' }],
  identifier: [{ system: MRN, value: '7' }, { value: '8' }],
};
const SEARCHES = [
  ...['ng', 'wo', 'wolfe', 'wolfeschle', 'wolfeschlegelstein', 'zoe', '小', '小明', 'zo wolfeschlegelst'].map(
    (name) => ({
      name,
    }),
  ),
  { identifier: { value: '7' } },
  { identifier: { system: MRN, value: '7' } },
  { identifier: { value: '8' } },
];
const patient = describePatient(person('p1', 2, FIELDS), { host: HOST, resourceId: 'p1', version: 2 });
const wanted = { row: rowOfPatient(patient), entries: entriesOf(patient, KEY) };

type Registry = ReturnType<typeof startRegistry>;

async function expectFound(registry: Registry, when: unknown): Promise<void> {
  for (const query of SEARCHES) {
    const { ids } = await registry.search(query);
    expect({ when, query, ids }).toEqual({ when, query, ids: ['p1'] });
  }
}

/** Returns tables on which change `nth` fails, before or after it has been made; the changes after it fail, too. */
function failingTables(tables: Context['tables'], nth: number, isMade: boolean): Context['tables'] {
  let changes = 0;
  return (name) => ({
    ...tables(name),
    async change(...all) {
      changes += 1;
      if (changes < nth || (changes === nth && isMade)) await tables(name).change(...all);
      if (changes >= nth) throw new Error('The process dies here.');
    },
  });
}

describe('when patients have the rows of version 0.2', () => {
  it('given any search, then it finds the patients of 0.2', async () => {
    const registry = startRegistry();
    await becomesAs02(registry.tables, 'p1', FIELDS);

    await expectFound(registry, 'before');
  });

  it('given a change, then rows of this version replace them, and an unchanged patient keeps its rows', async () => {
    const registry = startRegistry();
    await becomesAs02(registry.tables, 'p1', FIELDS);
    await becomesAs02(registry.tables, 'p2', { name: [{ family: 'Sato' }] });

    await registry.becomes('p1', { ...FIELDS, active: true });

    const keysOf = (id: string) => {
      const { key } = placeOfPatient(HOST, id);
      return registry
        .rows('patientkeys')
        .filter((row) => row.key.endsWith(key))
        .map((row) => row.partition + row.key.slice(0, 22));
    };
    expect(keysOf('p1').sort()).toEqual(wanted.entries);
    expect(keysOf('p1')).toHaveLength(
      'wolfeschlegelstein zoe 小明 wolfeschlegelstein小明 ng 7 8'.split(' ').length - 1,
    );
    expect(keysOf('p2')).toHaveLength('sato'.length - 1);
    await expectFound(registry, 'after');
  });

  it('given a deletion, then no row of 0.2 is left', async () => {
    const registry = startRegistry();
    await becomesAs02(registry.tables, 'p1', FIELDS);

    await registry.becomes('p1', undefined);

    expect([...registry.rows('patients'), ...registry.rows('patientkeys')]).toEqual([]);
  });

  it('given a process that dies at any step of the change, then any search finds them then, and after the next try', async () => {
    const run = { isNew: false, fence: 1, completedFence: undefined };
    const changes = wanted.entries.length + entriesAs02(patient).length;
    for (let nth = 1; nth <= changes; nth += 1) {
      for (const isMade of [false, true]) {
        const registry = startRegistry();
        await becomesAs02(registry.tables, 'p1', FIELDS);

        const dying = failingTables(registry.tables, nth, isMade);
        await updatePatient(placeOfPatient(HOST, 'p1'), wanted, { ...run, tables: dying }).catch(() => {});

        await expectFound(registry, { nth, isMade });
        await registry.becomes('p1', FIELDS);
        await expectFound(registry, { nth, isMade, isAgain: true });
        expect(registry.rows('patientkeys')).toHaveLength(wanted.entries.length);
      }
    }
  });

  it('given this version and then 0.2 again, then the rows of 0.2 replace those of this version', async () => {
    const registry = startRegistry();
    await registry.becomes('p1', FIELDS);

    await becomesAs02(registry.tables, 'p1', FIELDS);

    expect(registry.rows('patientkeys')).toHaveLength(entriesAs02(patient).length);
  });
});

describe('when the next run confirms what a run has added', () => {
  const entries = ['0'.padEnd(23, 'a'), '0'.padEnd(23, 'b')];
  const place = placeOfPatient(HOST, 'p1');

  it.each([
    { given: 'that run completed', completedFence: 4, written: [] },
    { given: 'another run completed since', completedFence: 5, written: entries },
    { given: 'no run completed since', completedFence: undefined, written: entries },
  ])('given $given, then it writes $written', async ({ completedFence, written }) => {
    const kit = createTestKit();
    await updatePatient(
      place,
      { row: { version: 1 }, entries },
      {
        tables: kit.tables,
        isNew: true,
        fence: 4,
        completedFence: undefined,
      },
    );
    expect(kit.rows('patients')[0]?.row).toEqual({ version: 1, sure: '', unsure: entries.join(' '), sureAfter: 4 });
    const changed: string[] = [];
    const tables: Context['tables'] = (name) => ({
      ...kit.tables(name),
      change: (partition, key, ...how) => {
        if (name === 'patientkeys') changed.push(partition + key.slice(0, 22));
        return kit.tables(name).change(partition, key, ...how);
      },
    });

    await updatePatient(place, { row: { version: 2 }, entries }, { tables, isNew: false, fence: 6, completedFence });

    expect(changed).toEqual(written);
  });
});
