import { fhirEvent } from '../../../src/testing/index.js';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import { patientIn } from '../../../src/workflows/patient-registry/references.js';
import { HOST, MRN, type Patient, startRegistry } from './people.js';

async function rowOf(fields: Partial<Patient>) {
  const registry = startRegistry();
  expect(await registry.becomes('p1', fields)).toEqual({ kind: 'completed' });
  const { sure: _, unsure: __, sureAfter: ___, ...row } = registry.rows('patients')[0]?.row ?? {};
  return row;
}

describe('when a patient is kept', () => {
  it('given every property of FHIR, then the row has them', async () => {
    const row = await rowOf({
      active: true,
      name: [
        { use: 'maiden', family: 'Novak', given: ['Ana'] },
        { use: 'official', family: 'Cruz', given: ['Ana', 'Maria'] },
      ],
      birthDate: '1970-02-03',
      gender: 'female',
      deceasedDateTime: '2026-01-02T03:04:05Z',
      identifier: [
        { system: MRN, value: '7', type: { coding: [{ code: 'MR' }] } },
        { value: '8', type: { text: 'card' } },
      ],
      link: [
        { type: 'seealso', other: { reference: 'Patient/p3' } },
        { type: 'replaced-by', other: { reference: `https://${HOST}/Patient/p2/_history/4` } },
      ],
    });

    expect(row).toEqual({
      host: HOST,
      resourceId: 'p1',
      version: 1,
      family: 'Cruz',
      given: 'Ana Maria',
      names:
        '[{"use":"maiden","family":"Novak","given":["Ana"]},{"use":"official","family":"Cruz","given":["Ana","Maria"]}]',
      birthDate: '1970-02-03',
      gender: 'female',
      active: true,
      deceased: true,
      deceasedAt: '2026-01-02T03:04:05Z',
      identifiers: `[{"system":"${MRN}","value":"7","type":"MR"},{"value":"8","type":"card"}]`,
      links: `[{"type":"seealso","reference":"Patient/p3","resourceId":"p3"},{"type":"replaced-by","reference":"https://${HOST}/Patient/p2/_history/4","resourceId":"p2"}]`,
      replacedBy: 'p2',
      isMore: false,
    });
  });

  it('given an almost empty patient, then the row has only defaults', async () => {
    expect(await rowOf({ deceasedBoolean: false })).toEqual({
      host: HOST,
      resourceId: 'p1',
      version: 1,
      names: '[]',
      deceased: false,
      identifiers: '[]',
      links: '[]',
      isMore: false,
    });
  });

  it('given content that is newer than the event, then the version is that of the content', async () => {
    expect(await rowOf({ meta: { versionId: '9' } })).toMatchObject({ version: 9 });
    expect(await rowOf({ meta: {} })).toMatchObject({ version: 1 });
  });

  const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

  it.each([
    { given: '500 identifiers', fields: { identifier: many(500, (n) => ({ system: MRN, value: `${n}` })) } },
    {
      given: 'identifiers of 10,000 characters',
      fields: { identifier: many(9, () => ({ value: 'x'.repeat(10_000) })) },
    },
    { given: 'a name of 40,000 characters', fields: { name: [{ family: 'x'.repeat(40_000) }] } },
    { given: '200 names', fields: { name: many(200, (n) => ({ family: `Name${n}` })) } },
    { given: 'a name of 100 words', fields: { name: [{ text: many(100, (n) => `word${n}`).join(' ') }] } },
    {
      given: '200 links',
      fields: { link: many(200, (n) => ({ type: 'replaces', other: { reference: `Patient/x${n}` } })) },
    },
  ] as { given: string; fields: Partial<Patient> }[])(
    'given $given, then the row has what fits, and isMore is true',
    async ({ fields }) => {
      expect(await rowOf(fields)).toMatchObject({ isMore: true });
    },
  );

  it.each([
    {
      given: 'texts that are none',
      fields: { name: 'x', identifier: [{ value: 7 }, null, 'x'], link: [{ type: 'refer' }], gender: {} },
    },
    { given: 'halves of characters', fields: { name: [{ family: '\ud800' }], birthDate: '\udfff' } },
  ])('given $given, then nothing is thrown', async ({ fields }) => {
    const registry = startRegistry();
    expect(await registry.becomes('p1', fields as never)).toEqual({ kind: 'completed' });
    expect(registry.rows('patients')).toHaveLength(1);
  });

  it.each([
    { given: 'an official name after a usual one', uses: ['usual', 'official'], shown: 'Name1' },
    { given: 'an old name and one without use', uses: ['old', undefined], shown: 'Name1' },
    { given: 'a maiden name alone', uses: ['maiden'], shown: 'Name0' },
  ])('given $given, then $shown is shown', async ({ uses, shown }) => {
    const name = uses.map((use, n) => ({ family: `Name${n}`, ...(use && { use }) }));
    expect(await rowOf({ name } as Partial<Patient>)).toMatchObject({ family: shown });
  });
});

describe('when a link refers to another', () => {
  it.each([
    { reference: 'Patient/p2', id: 'p2' },
    { reference: 'Patient/p2/_history/3', id: 'p2' },
    { reference: 'https://Test.fhir.example/Patient/p2', id: 'p2' },
    { reference: 'https://other.example/Patient/p2', id: undefined },
    { reference: 'RelatedPerson/p2', id: undefined },
    { reference: 'https://test.fhir.example/fhir/Patient/p2', id: undefined },
    { reference: '#contained', id: undefined },
    { reference: 'urn:uuid:1', id: undefined },
  ])('given $reference, then the id is $id', ({ reference, id }) => {
    expect(patientIn(reference, HOST)).toBe(id);
  });
});

describe('when a patient is gone', () => {
  const CRUZ = { name: [{ family: 'Cruz' }] };

  it.each([
    { given: 'before', history: [undefined] },
    { given: 'after', history: [{ ...CRUZ, identifier: [{ value: '7' }] }, undefined] },
    { given: 'twice', history: [CRUZ, undefined, undefined] },
  ])('given $given, then no row of the patient is left', async ({ history }) => {
    const registry = startRegistry();
    for (const fields of history) expect(await registry.becomes('p1', fields)).toEqual({ kind: 'completed' });
    expect([...registry.rows('patients'), ...registry.rows('patientkeys')]).toEqual([]);
  });

  it('given a deleted patient that is created again, then a search finds the patient', async () => {
    const registry = startRegistry();
    for (const fields of [CRUZ, undefined, CRUZ]) await registry.becomes('p1', fields);
    expect((await registry.search({ name: 'cruz' })).ids).toEqual(['p1']);
  });

  it('given a read that finds the patient gone, then the rows are removed as by a deletion', async () => {
    const registry = startRegistry();
    await registry.becomes('p1', CRUZ);
    await registry.run(patientRegistry, fhirEvent({ resourceId: 'p1', change: 'updated' }), { resource: undefined });
    expect(registry.rows('patients')).toEqual([]);
  });
});
