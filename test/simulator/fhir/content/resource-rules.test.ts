import { RESOURCE_TYPES } from '../../../../src/fhir-types.js';
import { createFhirWorld, patient } from '../fhir-world.js';

/** The text of a patient with these elements. */
const of = (elements: string) => `{"resourceType":"Patient",${elements}}`;

describe('when a resource is posted that is none', () => {
  it.each([
    { given: 'nothing', body: '', problem: 'empty' },
    { given: 'half of it', body: '{"resourceType":"Patient",\n  "name": [', problem: 'line 2, column 12' },
    { given: 'bytes that are no UTF-8', body: new Uint8Array([0x7b, 0xff, 0x7d]), problem: 'UTF-8' },
    { given: 'an array', body: '[]', problem: 'an array' },
    { given: 'a string', body: '"Patient"', problem: 'a string' },
    { given: 'null', body: 'null', problem: 'null' },
    { given: 'a number', body: '1.10', problem: 'number' },
    { given: 'no type', body: '{}', problem: "'resourceType'" },
    { given: 'a type that is a number', body: '{"resourceType":1}', problem: 'a number' },
    { given: 'a type that is none', body: '{"resourceType":"Dragon"}', problem: "'Dragon'" },
    { given: 'a type of the language', body: '{"resourceType":"constructor"}', problem: "'constructor'" },
    { given: 'another type', body: '{"resourceType":"Observation"}', problem: 'match' },
    { given: 'an id that is a number', body: of('"id":1'), problem: 'Patient.id' },
    { given: 'two metas', body: of('"meta":[{"tag":[{}]},{"source":"x"},{"source":"y"}]'), problem: 'Patient.meta' },
    { given: 'a meta that is a string', body: of('"meta":"x"'), problem: 'Patient.meta' },
    { given: 'a number beyond all bounds', body: of('"extension":[{"valueDecimal":1e999}]'), problem: 'bounds' },
    { given: 'a name that is none', body: of('"$ref":"x"'), problem: "'$ref'" },
    { given: 'a prototype', body: of('"__proto__":{"polluted":true}'), problem: "'__proto__'" },
    {
      given: 'a prototype further in',
      body: of('"name":[{"__proto__":{"polluted":true}}]'),
      problem: 'Patient.name[0]',
    },
    { given: '65 levels', body: of(`"a":${'{"a":'.repeat(64)}1${'}'.repeat(64)}`), problem: '64 levels' },
    { given: '10,000 levels', body: of(`"a":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), problem: '64 levels' },
    { given: '100,000 arrays', body: of(`"a":${'['.repeat(100_000)}${']'.repeat(100_000)}`), problem: '64 levels' },
  ])('given $given, then 400 says what is wrong, and where', ({ body, problem }) => {
    const { ask, service, events } = createFhirWorld();

    const answer = ask('POST', 'Patient', body, { 'content-type': 'application/fhir+json' });

    expect(answer).toMatchObject({ status: 400, json: { resourceType: 'OperationOutcome' } });
    expect(answer.problem).toContain(problem);
    expect(service.counts.versions).toBe(0);
    expect(events()).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('given a problem with an element, then the outcome leads to it', () => {
    const { json } = createFhirWorld().ask(
      'POST',
      'Patient',
      patient(undefined, { contact: [{ name: { family: ['A', 'B'] } }] }),
    );

    expect(json.issue?.[0]?.expression).toEqual(['Patient.contact[0].name.family']);
  });
});

describe('when a resource is whole', () => {
  it.each([
    {
      given: 'primitives with extensions alone',
      body: '{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"x"}]}],"_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}}',
    },
    {
      given: 'digits that mean something',
      body: '{"resourceType":"Observation","valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":100.000}}]}',
    },
    {
      given: 'text of all languages',
      body: '{"resourceType":"Patient","name":[{"family":"Ωμέγα 😀 \\u2028 \\"x\\" \\\\"}]}',
    },
    {
      given: 'contained resources',
      body: '{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}}',
    },
    { given: '64 levels', body: `{"resourceType":"Basic","a":${'{"a":'.repeat(63)}1${'}'.repeat(63)}}` },
  ])('given $given, then it is stored as it is', ({ body }) => {
    const { ask } = createFhirWorld();
    const type = JSON.parse(body).resourceType;

    const created = ask('POST', type, body);
    const read = ask('GET', `${type}/${created.json.id}`);

    expect(created.status).toBe(201);
    expect(read.text).toBe(created.text);
    expect(read.json).toMatchObject(JSON.parse(body));
  });

  it('given significant digits, then the answer has them as sent', () => {
    const { ask } = createFhirWorld();
    const body =
      '{"resourceType":"Observation","valueQuantity":{"value":1.10},"interpretation":[{"extension":[{"valueDecimal":2.000}]}]}';

    const { text, json } = ask('POST', 'Observation', body);
    const found = ask('GET', `Observation?_id=${json.id}`).text;

    for (const answer of [text, found]) {
      expect(answer).toContain('"value":1.10}');
      expect(answer).toContain('"valueDecimal":2.000}');
    }
  });

  it('given a byte order mark, then the resource is stored without it', () => {
    const { ask } = createFhirWorld();

    expect(ask('POST', 'Patient', `\uFEFF${JSON.stringify(patient())}`).status).toBe(201);
  });

  it('given empty arrays, then they are left out', () => {
    const { text, status } = createFhirWorld().ask(
      'POST',
      'Patient',
      patient(undefined, { name: [], contact: [{ telecom: [], gender: 'male' }] }),
    );

    expect(status).toBe(201);
    expect(text).not.toContain('[]');
    expect(text).toContain('"contact":[{"gender":"male"}]');
  });

  it.each(RESOURCE_TYPES)('given a %s, then it can be created and found', (resourceType) => {
    const { ask } = createFhirWorld();

    const { status, json } = ask('POST', resourceType, { resourceType, language: 'en' });

    expect(status).toBe(201);
    expect(ask('GET', `${resourceType}/${json.id}`).status).toBe(200);
    expect(ask('GET', `${resourceType}?_id=${json.id}`).json.entry).toHaveLength(1);
  });
});

describe('the types of resources', () => {
  it('given R4, then there are 146', () => {
    expect(new Set(RESOURCE_TYPES).size).toBe(146);
  });
});
