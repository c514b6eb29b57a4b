import fc from 'fast-check';
import type { Observation } from 'fhir/r4.js';
import { readingFor, standingOf } from '../../../src/workflows/observation-alerts/read-observation.js';
import { HOST, LOINC, observation, quantity, reading, ruleOf, UCUM } from './observations.js';

const RULE = ruleOf({ above: 6, unit: 'mmol/L' });
const SYSTOLIC = ruleOf({ code: '85354-9', component: '8480-6', above: 180, unit: 'mm[Hg]' });
const V3 = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation';
const MEANING = 'http://terminology.hl7.org/CodeSystem/referencerange-meaning';

const ELSE = 'https://elsewhere.example';

const interpreted = (code: string) => ({ system: V3, code });
const loinc = (code: string) => ({ coding: [{ system: LOINC, code }] });
const amount = (value: number, unit?: string, comparator?: string) => ({ value, comparator, unit });

describe('when an Observation is read for a rule', () => {
  it('given another code, then nothing is read', () => {
    expect(readingFor(RULE, observation({ code: loinc('2345-7') }))).toBeUndefined();
  });

  it('given the code in another system, or in none, then nothing is read', () => {
    const coding = [{ system: 'http://snomed.info/sct', code: '2823-3' }, { code: '2823-3' }];
    expect(readingFor(RULE, observation({ code: { coding } }))).toBeUndefined();
  });

  it('given several codings, then one that matches is enough', () => {
    const coding = [
      { system: 'urn:oid:1.2.3', code: 'K' },
      { system: LOINC, code: '2823-3' },
    ];
    expect(reading(RULE, { code: { coding }, valueQuantity: quantity('4.1 mmol/L') }).value).toEqual(
      amount(4.1, 'mmol/L'),
    );
  });

  it.each([
    { status: 'final', standing: 'final' },
    { status: 'amended', standing: 'final' },
    { status: 'corrected', standing: 'final' },
    { status: 'preliminary', standing: 'preliminary' },
    { status: 'registered', standing: 'none' },
    { status: 'cancelled', standing: 'none' },
    { status: 'unknown', standing: 'none' },
    { status: 'toString', standing: 'none' },
    { status: 'entered-in-error', standing: 'withdrawn' },
  ])('given status $status, then the result is $standing', ({ status, standing }) => {
    expect(standingOf(observation({ status: status as 'final' }))).toBe(standing);
  });

  it.each([
    { what: 'a quantity', fields: { valueQuantity: quantity('4.1 mmol/L') }, value: amount(4.1, 'mmol/L') },
    { what: 'a comparator', fields: { valueQuantity: quantity('<0.1 mmol/L') }, value: amount(0.1, 'mmol/L', '<') },
    { what: 'zero', fields: { valueQuantity: quantity('0 mmol/L') }, value: amount(0, 'mmol/L') },
    { what: 'no unit', fields: { valueQuantity: { value: 4 } }, value: amount(4) },
    { what: 'an integer', fields: { valueInteger: 15 }, value: amount(15, '1') },
    { what: 'nothing', fields: {}, value: 'no-value' },
    { what: 'a quantity without a value', fields: { valueQuantity: { unit: 'mmol/L' } }, value: 'no-value' },
    {
      what: 'a reason that it is absent',
      fields: { dataAbsentReason: { coding: [{ code: 'error' }] }, valueQuantity: quantity('9 mmol/L') },
      value: 'no-value',
    },
    { what: 'a text', fields: { valueString: '> 6.0' }, value: 'not-a-number' },
    { what: 'a number as text', fields: { valueQuantity: { value: '6.1' as never } }, value: 'not-a-number' },
    { what: 'what is not finite', fields: { valueQuantity: { value: Number.NaN } }, value: 'not-a-number' },
    {
      what: 'a comparator of a later FHIR',
      fields: { valueQuantity: { value: 1, comparator: 'ad' as '<' } },
      value: 'comparator-unknown',
    },
  ])('given $what, then that value', ({ fields, value }) => {
    expect(reading(RULE, fields).value).toEqual(value);
  });

  it.each([
    { quantity: { system: UCUM, code: 'mmol/L', unit: 'whatever' }, unit: 'mmol/L' },
    { quantity: { system: UCUM, code: 'mmHg', unit: 'mmHg' }, unit: 'mm[Hg]' },
    { quantity: { system: UCUM, code: 'mEq/L' }, unit: 'meq/L' },
    { quantity: { system: UCUM, code: 'C' }, unit: 'C' },
    { quantity: { system: UCUM, code: 'K/uL' }, unit: 'K/uL' },
    { quantity: { system: UCUM, unit: 'mg/dL' }, unit: 'mg/dL' },
    { quantity: { system: 'http://snomed.info/sct', code: '258797006', unit: 'mg/dL' }, unit: 'mg/dL' },
    { quantity: { system: 'http://snomed.info/sct', code: '258797006' }, unit: undefined },
    { quantity: { code: 'mmol/L' }, unit: 'mmol/L' },
    { quantity: { unit: 'MMOL/L' }, unit: 'mmol/L' },
    { quantity: { unit: ' mm Hg ' }, unit: 'mm[Hg]' },
    { quantity: { unit: 'µmol/L' }, unit: 'umol/L' },
    { quantity: { unit: 'μmol/L' }, unit: 'umol/L' },
    { quantity: { unit: '°C' }, unit: 'Cel' },
    { quantity: { unit: 'F' }, unit: '[degF]' },
    { quantity: { unit: 'K/uL' }, unit: '10*3/uL' },
    { quantity: { unit: 'x10E3/uL' }, unit: '10*3/uL' },
    { quantity: { unit: 'uIU/mL' }, unit: 'u[IU]/mL' },
    { quantity: { unit: 'constructor' }, unit: 'constructor' },
    { quantity: { unit: ' ' }, unit: undefined },
  ])('given $quantity, then $unit', ({ quantity, unit }) => {
    expect(reading(RULE, { valueQuantity: { value: 1, ...quantity } }).value).toEqual(amount(1, unit));
  });

  it.each([
    { fields: { effectiveDateTime: '2026-03-02T08:00:00.250+01:00' }, at: '2026-03-02T07:00:00.250Z' },
    { fields: { effectiveDateTime: '2026-03-02' }, at: '2026-03-02T00:00:00.000Z' },
    { fields: { effectiveDateTime: '2026-03' }, at: '2026-03-01T00:00:00.000Z' },
    { fields: { effectiveDateTime: '2026' }, at: '2026-01-01T00:00:00.000Z' },
    { fields: { effectiveInstant: '2026-03-02T08:00:00Z' }, at: '2026-03-02T08:00:00.000Z' },
    {
      fields: { effectivePeriod: { start: '2026-03-01', end: '2026-03-02T06:00:00Z' } },
      at: '2026-03-02T06:00:00.000Z',
    },
    { fields: { effectivePeriod: { start: '2026-03-01' } }, at: '2026-03-01T00:00:00.000Z' },
    {
      fields: { issued: '2026-03-02T09:00:00Z', meta: { lastUpdated: '2026-03-03T00:00:00Z' } },
      at: '2026-03-02T09:00:00.000Z',
    },
    { fields: { effectiveDateTime: 'yesterday', issued: '2026-03-02T09:00:00Z' }, at: '2026-03-02T09:00:00.000Z' },
    { fields: { meta: { lastUpdated: '2026-03-03T00:00:00Z' } }, at: '2026-03-03T00:00:00.000Z' },
    { fields: {}, at: undefined },
  ])('given $fields, then the time is $at', ({ fields, at }) => {
    const { effectiveDateTime: _, ...rest } = observation();
    const found = readingFor(RULE, { ...rest, ...fields } as Observation);
    expect(found?.takenAt?.toISOString()).toBe(at);
  });

  it.each([
    ['Patient/p-1', 'Patient/p-1'],
    ['Patient/p-1/_history/3', 'Patient/p-1'],
    [`https://${HOST}/Patient/p-1`, 'Patient/p-1'],
    [`https://${HOST.toUpperCase()}/Patient/p-1/_history/3`, 'Patient/p-1'],
    [`${ELSE}/fhir/Patient/p-1/_history/3`, `${ELSE}/fhir/Patient/p-1`],
    [`https://${HOST}.elsewhere.example/Patient/p-1`, `https://${HOST}.elsewhere.example/Patient/p-1`],
    [`https://${HOST}/other/Patient/p-1`, `https://${HOST}/other/Patient/p-1`],
    ['urn:uuid:0C9B4A5E-7A2A-4C57-8B63-2F6B8B7E0A11', 'urn:uuid:0c9b4a5e-7a2a-4c57-8b63-2f6b8b7e0a11'],
    ['Group/g-1', undefined],
    ['#patient', undefined],
    ['Patient?identifier=1', undefined],
    ['Patient/', undefined],
    ['', undefined],
  ])('given the subject %s, then the patient is %s', (reference, subject) => {
    expect(reading(RULE, { subject: { reference } }).subject).toBe(subject);
  });

  it('given a subject that is only an identifier, then there is no patient', () => {
    expect(reading(RULE, { subject: { identifier: { system: 'urn:x', value: '1' } } }).subject).toBeUndefined();
  });

  const [low, high] = [quantity('3.5 mmol/L'), quantity('5.1 mmol/L')];
  const typed = (code: string) => ({ coding: [{ system: MEANING, code }] });

  it.each<[string, unknown, unknown[]]>([
    ['one range', [{ low, high }], [[3.5, 5.1]]],
    ['a range that is open', [{ high }], [[undefined, 5.1]]],
    ['a text alone', [{ text: '3.5 - 5.1' }], []],
    ['no range', undefined, []],
    ['a range upside down', [{ low: high, high: low }], []],
    [
      'one for everybody beside one for some',
      [{ high, appliesTo: [{ text: 'infants' }] }, { low }],
      [[3.5, undefined]],
    ],
    ['one for some of which nothing says that it is normal', [{ low, age: { high: { value: 1 } } }], []],
    ['one for some that is normal', [{ low, age: {}, type: typed('normal') }], [[3.5, undefined]]],
    ['a therapeutic one', [{ low, type: typed('therapeutic') }], []],
  ])('given %s, then these ranges', (_given, ranges, is) => {
    const found = reading(RULE, { referenceRange: ranges } as Partial<Observation>).ranges;
    expect(found.map(({ low, high }) => [low?.value, high?.value])).toEqual(is);
  });

  it('given interpretations of several systems, then the codes of HL7 are read', () => {
    const interpretation = [
      { coding: [interpreted('HH'), { system: 'urn:oid:1.2.3', code: 'LL' }] },
      { coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'A' }] },
      { coding: [{ code: 'H' }] },
      { text: 'L' },
    ];
    expect(reading(RULE, { interpretation }).interpretations).toEqual(['HH', 'A', 'H']);
  });
});

describe('when a rule is about a component', () => {
  const absent = { code: loinc('8480-6'), dataAbsentReason: {} };
  const systolic = { code: loinc('8480-6'), valueQuantity: quantity('181 mm[Hg]') };

  it('given the component, then its value, range and interpretation are read, not those of the panel', () => {
    const found = reading(SYSTOLIC, {
      code: loinc('85354-9'),
      interpretation: [{ coding: [interpreted('N')] }],
      referenceRange: [{ high: quantity('1 mm[Hg]') }],
      component: [
        { code: loinc('8462-4'), valueQuantity: quantity('90 mm[Hg]') },
        {
          ...systolic,
          referenceRange: [{ high: quantity('140 mm[Hg]') }],
          interpretation: [{ coding: [interpreted('HH')] }],
        },
      ],
    });

    expect(found.value).toEqual(amount(181, 'mm[Hg]'));
    expect(found.ranges).toEqual([{ low: undefined, high: amount(140, 'mm[Hg]') }]);
    expect(found.interpretations).toEqual(['HH']);
  });

  it('given a panel without the component, then nothing is read', () => {
    const component = [{ code: loinc('8462-4'), valueQuantity: quantity('90 mm[Hg]') }];
    expect(readingFor(SYSTOLIC, observation({ code: loinc('85354-9'), component }))).toBeUndefined();
  });

  it.each([
    { given: 'it without a value', panel: [absent], value: 'no-value' },
    { given: 'it twice, once with a value', panel: [absent, systolic], value: amount(181, 'mm[Hg]') },
    { given: 'two values for it', panel: [systolic, systolic], value: 'several-values' },
  ])('given $given, then $value', ({ panel, value }) => {
    expect(reading(SYSTOLIC, { code: loinc('85354-9'), component: panel }).value).toEqual(value);
  });
});

describe('when resources are shaped as different sources give them', () => {
  it('given an Observation as Synthea writes it, then the value is read', () => {
    const synthea = {
      resourceType: 'Observation',
      id: '7d0f0d5c-5b0e-4d1c-9b7e-1f6b8f1c0a01',
      status: 'final',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
      ],
      code: { coding: [{ system: LOINC, code: '2823-3', display: 'Potassium' }], text: 'Potassium' },
      subject: { reference: 'urn:uuid:0c9b4a5e-7a2a-4c57-8b63-2f6b8b7e0a11' },
      encounter: { reference: 'urn:uuid:1c9b4a5e-7a2a-4c57-8b63-2f6b8b7e0a12' },
      effectiveDateTime: '2026-03-02T09:00:00+01:00',
      issued: '2026-03-02T09:00:00.123+01:00',
      valueQuantity: { value: 4.23, unit: 'mmol/L', system: UCUM, code: 'mmol/L' },
    } as const;

    expect(readingFor(RULE, synthea as unknown as Observation, HOST)).toMatchObject({
      subject: 'urn:uuid:0c9b4a5e-7a2a-4c57-8b63-2f6b8b7e0a11',
      takenAt: new Date('2026-03-02T08:00:00Z'),
      value: amount(4.23, 'mmol/L'),
    });
  });

  it('given an Observation of a hospital system, with its own codes and a unit as text, then the value is read', () => {
    const hospital = {
      resourceType: 'Observation',
      id: 'eXyZ.1-2',
      status: 'corrected',
      code: {
        coding: [
          { system: 'urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.0', code: 'LABK', display: 'POTASSIUM' },
          { system: LOINC, code: '2823-3', display: 'Potassium SerPl-sCnc' },
        ],
        text: 'Potassium',
      },
      subject: { reference: `https://${HOST}/Patient/ePat.3`, display: 'Somebody' },
      effectiveDateTime: '2026-03-02T08:00:00Z',
      issued: '2026-03-02T08:45:00Z',
      valueQuantity: { value: 6.4, unit: 'mEq/L' },
      interpretation: [{ coding: [{ system: V3, code: 'HH', display: 'High Panic' }], text: 'Critical' }],
      referenceRange: [
        { low: { value: 3.5, unit: 'mEq/L' }, high: { value: 5.1, unit: 'mEq/L' }, text: '3.5 - 5.1 mEq/L' },
      ],
    };

    expect(readingFor(RULE, hospital as unknown as Observation, HOST)).toEqual({
      observationId: 'eXyZ.1-2',
      standing: 'final',
      subject: 'Patient/ePat.3',
      takenAt: new Date('2026-03-02T08:00:00Z'),
      value: amount(6.4, 'meq/L'),
      ranges: [{ low: amount(3.5, 'meq/L'), high: amount(5.1, 'meq/L') }],
      interpretations: ['HH'],
    });
  });

  it("given an Observation as Microsoft's converter makes it of HL7 v2, then the value is read", () => {
    const converted = {
      resourceType: 'Observation',
      id: '0f4fa9b1-6c1d-3d0e-8a53-7f0a2b1c9d11',
      meta: { versionId: '1', lastUpdated: '2026-03-02T08:50:00.1234567+00:00' },
      identifier: [{ value: 'ORU-1' }],
      status: 'final',
      code: {
        coding: [
          { code: '2823-3', display: 'Potassium', system: LOINC },
          { code: '2823-3', display: 'Potassium', system: 'http://example.org/LN' },
        ],
      },
      valueQuantity: { value: 6.4, unit: 'mmol/L', code: 'mmol/L' },
      interpretation: [{ coding: [{ code: 'H', system: 'http://terminology.hl7.org/CodeSystem/v2-0078' }] }],
      referenceRange: [{ text: '3.5-5.1' }],
      subject: { reference: 'Patient/0a1b2c3d-0000-3000-8000-000000000001' },
    };

    expect(readingFor(RULE, converted as unknown as Observation, HOST)).toMatchObject({
      takenAt: new Date('2026-03-02T08:50:00.123Z'),
      value: amount(6.4, 'mmol/L'),
      ranges: [],
      interpretations: ['H'],
    });
  });

  it('given any JSON in any of its places, then it is read, and nothing is thrown', () => {
    const any = fc.oneof(fc.jsonValue(), fc.constant({ coding: [{ system: LOINC, code: '85354-9' }] }));
    const names = 'id status code subject effectiveDateTime effectivePeriod issued meta valueQuantity valueInteger';
    const more = 'dataAbsentReason component referenceRange interpretation';
    const fields = fc.dictionary(fc.constantFrom(...`${names} ${more}`.split(' ')), any);
    fc.assert(
      fc.property(fields, fc.array(fields), (outer, inner) => {
        const component = inner.map((one) => ({ ...one, code: loinc('8480-6') }));
        const read = readingFor(SYSTOLIC, { code: loinc('85354-9'), component, ...outer } as unknown as Observation);
        expect(['undefined', 'object']).toContain(typeof read);
      }),
      { numRuns: 1_000 },
    );
  });
});
