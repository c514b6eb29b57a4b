import * as z from 'zod';
import type { TestKit } from '../../../src/testing/index.js';
import { MRN, type Patient, startRegistry } from './people.js';

const linked = (type: 'replaced-by' | 'replaces' | 'seealso' | 'refer', id: string): Partial<Patient> => ({
  link: [{ type, other: { reference: `Patient/${id}` } }],
});

async function registryOf(patients: Record<string, Partial<Patient>>) {
  const registry = startRegistry();
  for (const [id, fields] of Object.entries(patients)) await registry.becomes(id, fields);
  return registry;
}

describe('when patients are looked up by identifier', () => {
  const people = () =>
    registryOf({
      a: { identifier: [{ system: MRN, value: '7' }] },
      b: { identifier: [{ system: 'http://other.example', value: '7' }] },
      c: { identifier: [{ value: '7' }, { system: MRN, value: '8' }] },
    });

  it.each([
    { identifier: { value: '7' }, ids: ['a', 'b', 'c'] },
    { identifier: { system: MRN, value: '7' }, ids: ['a'] },
    { identifier: { system: MRN, value: '8' }, ids: ['c'] },
    { identifier: { system: MRN, value: '9' }, ids: [] },
    { identifier: { value: 'null' }, ids: [] },
  ])('given $identifier, then $ids', async ({ identifier, ids }) => {
    expect(await (await people()).search({ identifier })).toMatchObject({ ids, isMore: false });
  });

  it('given a patient, then the answer holds its data and no index columns', async () => {
    const registry = await registryOf({
      a: { identifier: [{ system: MRN, value: '7' }], name: [{ family: 'Cruz' }], gender: 'other' },
    });

    expect((await registry.search({ identifier: { value: '7' } })).patients).toEqual([
      {
        host: 'test.fhir.example',
        resourceId: 'a',
        version: 1,
        family: 'Cruz',
        names: [{ family: 'Cruz' }],
        gender: 'other',
        identifiers: [{ system: MRN, value: '7' }],
        links: [],
        isMore: false,
      },
    ]);
  });

  it('given a changed identifier, then only the new identifier finds the patient', async () => {
    const registry = await registryOf({ a: { identifier: [{ value: '7' }] } });
    await registry.becomes('a', { identifier: [{ value: '8' }] });

    expect((await registry.search({ identifier: { value: '7' } })).ids).toEqual([]);
    expect((await registry.search({ identifier: { value: '8' } })).ids).toEqual(['a']);
  });

  it('given a stale entry, then the answer is the same', async () => {
    const registry = await registryOf({ a: { identifier: [{ value: '7' }] } });
    const stale = registry.rows('patientkeys');
    await registry.becomes('a', { identifier: [{ value: '8' }] });
    for (const { partition, key } of stale) await registry.tables('patientkeys').change(partition, key, () => ({}));

    expect(await registry.search({ identifier: { value: '7' } })).toMatchObject({ ids: [], isMore: false });
  });
});

describe('when patients are looked up by name', () => {
  const people = () =>
    registryOf({
      smith: { name: [{ family: 'Smith', given: ['John', 'Q'] }], birthDate: '1970-02-03', gender: 'male' },
      smythe: {
        name: [
          { family: 'Smythe', given: ['Jane'] },
          { use: 'maiden', family: 'Smirnova' },
        ],
        birthDate: '1980-02',
      },
      long: { name: [{ family: 'Wolfeschlegelstein' }] },
      longer: { name: [{ family: 'Wolfeschlegelberg' }] },
      wang: { name: [{ family: '王', given: ['小明'] }] },
      muller: { name: [{ text: 'Jürgen Müller' }] },
    });

  it.each([
    { given: 'a beginning', query: { name: 'sm' }, ids: ['smith', 'smythe'] },
    { given: 'a whole name', query: { name: 'Smith' }, ids: ['smith'] },
    { given: 'two words in any order', query: { name: 'john smi' }, ids: ['smith'] },
    { given: 'a word of one letter beside another', query: { name: 'smi j' }, ids: ['smith', 'smythe'] },
    { given: 'a word that nobody has', query: { name: 'smith xaver' }, ids: [] },
    { given: 'a maiden name', query: { name: 'smirn' }, ids: ['smythe'] },
    { given: 'more than ten characters', query: { name: 'wolfeschlegels' }, ids: ['long'] },
    { given: 'one character that is a name', query: { name: '王' }, ids: ['wang'] },
    { given: 'family and given in one word', query: { name: '王小明' }, ids: ['wang'] },
    { given: 'another way to write it', query: { name: 'MULLER' }, ids: ['muller'] },
    { given: 'the middle of a name', query: { name: 'mith' }, ids: [] },
    { given: 'a day of birth', query: { name: 'sm', birthDate: '1970-02-03' }, ids: ['smith'] },
    { given: 'a year of birth', query: { name: 'sm', birthDate: '1980' }, ids: ['smythe'] },
    { given: 'a gender', query: { name: 'sm', gender: 'male' }, ids: ['smith'] },
    { given: 'another host', query: { name: 'sm', host: 'other.example' }, ids: [] },
    { given: 'its host', query: { name: 'smith', host: 'TEST.fhir.example' }, ids: ['smith'] },
  ])('given $given, then $ids', async ({ query, ids }) => {
    expect(await (await people()).search(query)).toMatchObject({ ids, isMore: false });
  });

  it.each([
    { limit: 2, found: 2, isMore: true },
    { limit: 3, found: 3, isMore: false },
  ])('given a limit of $limit for three, then isMore is $isMore', async ({ limit, found, isMore }) => {
    const name = [{ family: 'Smith' }];
    const registry = await registryOf({ a: { name }, b: { name }, c: { name } });

    const answer = await registry.search({ name: 'smith', limit });

    expect(answer).toMatchObject({ isMore });
    expect(answer.patients).toHaveLength(found);
  });

  it('given 1,100 of one name, then the date of birth finds the right one', async () => {
    const registry = startRegistry();
    for (let n = 0; n < 1100; n += 1) await registry.becomes(`p${n}`, { name: [{ family: 'Wu' }], birthDate: born(n) });

    const found: string[] = [];
    for (let year = 1900; year <= 1910; year += 1) {
      const { ids, isMore } = await registry.search({ name: 'wu', birthDate: `${year}`, limit: 100 });
      expect({ year, count: ids.length, isMore }).toEqual({ year, count: 100, isMore: false });
      found.push(...ids);
    }
    expect(new Set(found).size).toBe(1100);
    const last = await registry.search({ name: 'wu', birthDate: '1910-04-16' });
    expect(last).toMatchObject({ ids: ['p1099'], isMore: false });
  });

  it('given more stale entries than a page, then the patient behind them is found', async () => {
    const registry = await registryOf({ a: { name: [{ family: 'Wu', given: ['Zoe'] }] } });
    await addNobodies(2000, registry);

    expect(await registry.search({ name: 'wu' })).toMatchObject({ ids: ['a'], isMore: false });
  });

  it('given more candidates than are compared, then isMore is true, and a second word still finds the patient', async () => {
    const registry = await registryOf({ a: { name: [{ family: 'Wu', given: ['Zoe'] }] } });
    await addNobodies(10_000, registry);

    expect(await registry.search({ name: 'wu' })).toMatchObject({ ids: [], isMore: true });
    expect(await registry.search({ name: 'wu zoe' })).toMatchObject({ ids: ['a'], isMore: false });
  });
});

/** Returns the birth date of patient `n`: a hundred different days in each year. */
function born(n: number): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = n % 100;
  return `${1900 + Math.floor(n / 100)}-${two(1 + Math.floor(day / 28))}-${two(1 + (day % 28))}`;
}

/** Entries for `wu` that lead nowhere, and come before all others of the partition. */
async function addNobodies(count: number, { rows, tables }: Pick<TestKit, 'rows' | 'tables'>): Promise<void> {
  const { partition, digest } = await partitionAndDigestOf('wu', { rows });
  for (let n = 0; n < count; n += 1) {
    await tables('patientkeys').change(partition, `${digest}.${String(n).padStart(22, '-')}`, () => ({}));
  }
}

/** Returns partition and digest of the only entry of a patient with this family name and nothing else. */
async function partitionAndDigestOf(family: string, { rows }: Pick<TestKit, 'rows'>) {
  const alone = await registryOf({ x: { name: [{ family }] } });
  const digest = alone.rows('patientkeys')[0]?.key.slice(0, 22) ?? '';
  return { digest, partition: rows('patientkeys').find(({ key }) => key.startsWith(digest))?.partition ?? '' };
}

describe('when patients were merged', () => {
  const name = [{ family: 'Smith' }];
  const elsewhere = { link: [{ type: 'replaced-by', other: { reference: 'https://other.example/Patient/b' } }] };

  it.each([
    { given: 'only the replaced patient has the link', people: { a: { name, ...linked('replaced-by', 'b') }, b: {} } },
    { given: 'only the survivor has the link', people: { a: { name }, b: linked('replaces', 'a') } },
    { given: 'both say so', people: { a: { name, ...linked('replaced-by', 'b') }, b: linked('replaces', 'a') } },
    { given: 'a chain', people: { a: { name, ...linked('replaced-by', 'x') }, x: linked('replaced-by', 'b'), b: {} } },
    {
      given: 'two names that begin alike',
      people: { a: { name: [{ family: 'Smith' }, { family: 'Smithson' }], ...linked('replaced-by', 'b') }, b: {} },
    },
    {
      given: 'a chain of both',
      people: { a: { name, ...linked('replaced-by', 'x') }, x: {}, b: linked('replaces', 'x') },
    },
  ] as { given: string; people: Record<string, Partial<Patient>> }[])(
    'given $given, then the answer has the survivor and mergedFrom',
    async ({ people }) => {
      const { patients } = await (await registryOf(people)).search({ name: 'smith' });

      expect(patients).toMatchObject([{ resourceId: 'b', mergedFrom: ['a'] }]);
      expect(patients).toHaveLength(1);
    },
  );

  it('given both match, then the survivor is listed once', async () => {
    const registry = await registryOf({
      a: { name, ...linked('replaced-by', 'c') },
      b: { name, ...linked('replaced-by', 'c') },
      c: { name },
    });

    const { patients } = await registry.search({ name: 'smith' });

    expect(patients.map(({ resourceId, mergedFrom }) => [resourceId, mergedFrom?.sort()])).toEqual([['c', ['a', 'b']]]);
  });

  it.each([
    { given: 'a survivor that is not there', people: { a: { name, ...linked('replaced-by', 'b') } } },
    { given: 'itself', people: { a: { name, ...linked('replaced-by', 'a') } } },
    { given: 'a loop', people: { a: { name, ...linked('replaced-by', 'b') }, b: linked('replaced-by', 'a') } },
    { given: 'seealso', people: { a: { name, ...linked('seealso', 'b') }, b: {} } },
    { given: 'refer', people: { a: { name }, b: linked('refer', 'a') } },
    { given: 'a link elsewhere', people: { a: { name, ...elsewhere }, b: {} } },
  ] as { given: string; people: Record<string, Partial<Patient>> }[])(
    'given $given, then the patient itself is listed, with its links',
    async ({ people }) => {
      const { patients } = await (await registryOf(people)).search({ name: 'smith' });

      const links = people.a?.link ? [{ type: people.a.link[0]?.type }] : [];
      expect(patients).toMatchObject([{ resourceId: 'a', links }]);
      expect(patients[0]).not.toHaveProperty('mergedFrom');
    },
  );

  it('given a survivor without the link, then the lookup does not follow it', async () => {
    const registry = await registryOf({ a: { name }, b: linked('replaces', 'a') });
    await registry.becomes('b', {});

    expect((await registry.search({ name: 'smith' })).ids).toEqual(['a']);
  });

  it('given a chain of twelve, then ten are followed', async () => {
    const chain = Array.from({ length: 13 }, (_, n) => [`p${n}`, linked('replaced-by', `p${n + 1}`)] as const);
    const registry = await registryOf({ ...Object.fromEntries(chain), p0: { name, ...linked('replaced-by', 'p1') } });

    expect((await registry.search({ name: 'smith' })).ids).toEqual(['p10']);
  });
});

describe('when a query is invalid', () => {
  it.each([
    {},
    { name: '' },
    { name: 'j' },
    { name: '- ?' },
    { name: 'smith', birthDate: '3.2.1970' },
    { name: 'smith', gender: 'm' },
    { name: 'smith', limit: 0 },
    { name: 'smith', limit: 101 },
    { name: 'smith', other: 1 },
    { identifier: '7' },
    { identifier: { system: MRN } },
    { identifier: { value: '7' }, name: 'smith' },
    [],
  ])('given %j, then the query is refused, and the error does not show its values', async (query) => {
    const refused = await startRegistry()
      .search(query)
      .catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(z.ZodError);
    expect((refused as z.ZodError).issues[0]?.message).toMatch(/^must (be|have) /);
  });
});
