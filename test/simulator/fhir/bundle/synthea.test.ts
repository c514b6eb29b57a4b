import { createFhirWorld, idsOf } from '../fhir-world.js';

type Resource = { readonly resourceType: string; readonly [name: string]: unknown };

const NPI = 'http://hl7.org/fhir/sid/us-npi';
const SYNTHEA = 'https://github.com/synthetichealth/synthea';
const ENCOUNTERS = 25;

const uuid = (kind: number, n = 0) =>
  `urn:uuid:${String(kind).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`;
const toPractitioner = { reference: `Practitioner?identifier=${NPI}|9999`, display: 'Dr. Who' };
const toOrganization = { reference: `Organization?identifier=${SYNTHEA}|org-1` };
const toPatient = { reference: uuid(1) };
const coding = (system: string, code: string) => ({
  coding: [{ system, code, display: `Display of ${code}` }],
  text: `Text of ${code}`,
});

/** A record as Synthea makes it: its entries refer to each other by urn:uuid, and to hospitals by identifier. */
function makeRecord(): { resourceType: string; type: string; entry: object[] } {
  const patient = {
    resourceType: 'Patient',
    id: '00000001-0000-4000-8000-000000000000',
    meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient'] },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Generated</div>' },
    identifier: [
      { system: SYNTHEA, value: 'ada' },
      { type: coding('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR'), value: 'ada' },
    ],
    name: [{ use: 'official', family: 'Lindqvist123', given: ['Zoë456'] }],
    extension: [{ url: 'http://synthetichealth.github.io/synthea/quality-adjusted-life-years', valueDecimal: 50.0 }],
    generalPractitioner: [toPractitioner],
  };
  const visits = Array.from({ length: ENCOUNTERS }, (_, n) => Object.entries(visit(n))).flat();
  // The patient comes last: references lead forward as well as back.
  const resources: [string, Resource][] = [...visits.reverse(), [uuid(1), patient]];
  const entry = resources.map(([fullUrl, resource]) => {
    return { fullUrl, resource, request: { method: 'POST', url: resource.resourceType } };
  });
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

/** The resources of a visit, by their URL. */
function visit(n: number): Record<string, Resource> {
  const encounter = { reference: uuid(2, n) };
  const valueQuantity = { value: 80.5 + n, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' };
  const observations = Array.from({ length: 6 }, (_, index): [string, Resource] => [
    uuid(3, n * 10 + index),
    {
      resourceType: 'Observation',
      status: 'final',
      code: coding('http://loinc.org', `8302-${index}`),
      subject: toPatient,
      encounter,
      component: [{ code: coding('http://loinc.org', '8462-4'), valueQuantity }],
    },
  ]);
  const data = Buffer.from('x'.repeat(2_000)).toString('base64');
  const referral = { resourceType: 'ServiceRequest', id: 'referral', status: 'completed' };
  return {
    [uuid(2, n)]: {
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: toPatient,
      participant: [{ individual: toPractitioner }],
      location: [{ location: { reference: `Location?identifier=${SYNTHEA}|loc-1`, display: 'HOSPITAL' } }],
      serviceProvider: toOrganization,
    },
    ...Object.fromEntries(observations),
    [uuid(4, n)]: {
      resourceType: 'Condition',
      code: coding('http://snomed.info/sct', '44054006'),
      subject: toPatient,
      encounter,
    },
    [uuid(5, n)]: {
      resourceType: 'DiagnosticReport',
      status: 'final',
      subject: toPatient,
      encounter,
      performer: [toPractitioner],
      presentedForm: [{ contentType: 'text/plain; charset=utf-8', data }],
      result: observations.map(([reference]) => ({ reference, display: 'Body Height' })),
    },
    [uuid(6, n)]: {
      resourceType: 'Claim',
      status: 'active',
      patient: toPatient,
      provider: toOrganization,
      insurance: [{ sequence: 1, focal: true, coverage: { display: 'Medicare' } }],
      diagnosis: [{ sequence: 1, diagnosisReference: { reference: uuid(4, n) } }],
      item: [{ sequence: 1, encounter: [encounter] }],
    },
    [uuid(7, n)]: {
      resourceType: 'ExplanationOfBenefit',
      status: 'active',
      contained: [{ ...referral, subject: toPatient, requester: toPractitioner }],
      patient: toPatient,
      claim: { reference: uuid(6, n) },
      referral: { reference: '#referral' },
      item: [
        { sequence: 1, encounter: [encounter], extension: [{ url: 'x', valueReference: { reference: uuid(5, n) } }] },
      ],
    },
    [uuid(8, n)]: {
      resourceType: 'Provenance',
      target: [toPatient, encounter, { reference: uuid(7, n) }],
      recorded: '2024-01-01T00:00:00.000+01:00',
    },
  };
}

function hospitals() {
  const entry = [
    { url: 'Organization', system: SYNTHEA, value: 'org-1' },
    { url: 'Location', system: SYNTHEA, value: 'loc-1' },
    { url: 'Practitioner', system: NPI, value: '9999' },
  ].map(({ url, system, value }) => ({
    resource: { resourceType: url, identifier: [{ system, value }] },
    request: { method: 'POST', url, ifNoneExist: `identifier=${system}|${value}` },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

describe("when a record of Synthea's kind is posted", () => {
  it('given its hospitals exist, then all entries are created and published, and every reference leads to a resource', () => {
    const { ask, events, published } = createFhirWorld();
    ask('POST', '', hospitals());
    expect(events()).toHaveLength(3);
    const again = ask('POST', '', hospitals());
    expect(again.json.entry?.map(({ response }) => response?.status)).toEqual(['200', '200', '200']);
    const record = makeRecord();
    const calls = published.length;

    const { status, json, text } = ask('POST', '', record);

    expect(record.entry).toHaveLength(301);
    expect(status).toBe(200);
    expect(json.entry?.every(({ response }) => response?.status === '201')).toBe(true);
    expect(text).not.toMatch(/"reference":"(?:urn:|[A-Za-z]+\?)/);
    for (const [, reference] of new Set(text.matchAll(/"reference":"([A-Z][^"]+)"/g))) {
      expect(ask('HEAD', reference ?? '').status).toBe(200);
    }
    expect(published.length - calls).toBe(1);
    const made = events();
    expect([...made].sort()).toEqual(
      (json.entry ?? []).map(({ resource }) => `${resource?.resourceType}/${resource?.id} created 1`).sort(),
    );
    const patientId = json.entry?.at(-1)?.resource?.id;
    expect(idsOf(ask('GET', `Observation?patient=${patientId}&_count=1000`).json)).toHaveLength(150);
    expect(idsOf(ask('GET', `Provenance?patient=${patientId}&_count=1000`).json)).toHaveLength(ENCOUNTERS);
  });

  it('given its hospitals are missing, then nothing is created', () => {
    const { ask, events, service } = createFhirWorld();

    const { status, json } = ask('POST', '', makeRecord());

    expect(status).toBe(400);
    expect(json.issue?.[0]?.diagnostics).toContain('does not resolve to a resource');
    expect(service.counts.versions).toBe(0);
    expect(events()).toEqual([]);
  });
});
