import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createFhirWorld, PATCH, patient } from '../fhir-world.js';
import { repeatingElementsJson, TARGET } from './make-repeating-elements.js';

/** The stored form of a resource, without id and meta. */
function stored(resource: Record<string, unknown>): unknown {
  const { ask } = createFhirWorld();
  const created = ask('POST', String(resource.resourceType), resource);
  const { id: _id, meta: _meta, ...elements } = ask('GET', `${resource.resourceType}/${created.json.id}`).json;
  return elements;
}

describe('when a resource has elements without content', () => {
  const male = { gender: 'male' };

  it.each([
    { given: 'an empty string', sent: { birthDate: '', gender: 'male' }, kept: male },
    { given: 'white space', sent: { birthDate: ' \n', gender: 'male' }, kept: male },
    { given: 'a null', sent: { name: null, gender: 'male' }, kept: male },
    { given: 'an empty object', sent: { maritalStatus: {}, gender: 'male' }, kept: male },
    {
      given: 'an empty list',
      sent: { name: [], contact: [{ telecom: [], gender: 'male' }] },
      kept: { contact: [male] },
    },
    { given: 'an empty id and meta', sent: { id: '', meta: {}, gender: 'male' }, kept: male },
    { given: 'empty parts', sent: { name: [{ family: '', given: [null, ''] }, {}], gender: 'male' }, kept: male },
    { given: 'one empty item', sent: { name: [{}, { family: 'A' }, null] }, kept: { name: [{ family: 'A' }] } },
    {
      given: 'a list in a list',
      sent: { name: [[{ family: 'A' }], { family: 'B' }] },
      kept: { name: [{ family: 'B' }] },
    },
    {
      given: 'comments',
      sent: { fhir_comments: ['x'], name: [{ family: 'A', fhir_comments: 'y' }] },
      kept: { name: [{ family: 'A' }] },
    },
  ])('given $given, then the service stores the rest', ({ sent, kept }) => {
    expect(stored(patient(undefined, sent))).toEqual({ resourceType: 'Patient', ...kept });
  });

  it.each([
    {
      given: 'a null in the place of each',
      name: { given: ['A', null], _given: [null, { id: 'x' }] },
      kept: { given: ['A', null], _given: [null, { id: 'x' }] },
    },
    {
      given: 'a place where both are empty',
      name: { given: ['A', '', 'B'], _given: [null, {}, { id: 'x' }] },
      kept: { given: ['A', 'B'], _given: [null, { id: 'x' }] },
    },
    {
      given: 'extensions that are empty',
      name: { given: ['A', null, 'B'], _given: [null, null, {}] },
      kept: { given: ['A', 'B'] },
    },
    {
      given: 'values that are empty',
      name: { given: [null, ''], _given: [{ id: 'x' }, { id: 'y' }] },
      kept: { _given: [{ id: 'x' }, { id: 'y' }] },
    },
    {
      given: 'fewer extensions than values',
      name: { given: ['A', null, 'B'], _given: [{ id: 'x' }] },
      kept: { given: ['A', 'B'], _given: [{ id: 'x' }, null] },
    },
  ])('given values and extensions with $given, then those that belong together stay together', ({ name, kept }) => {
    expect(stored(patient(undefined, { name: [name] }))).toEqual({ resourceType: 'Patient', name: [kept] });
  });

  it('given an update that adds nothing but empty elements, then there is no new version', () => {
    const { ask, events } = createFhirWorld();
    ask('PUT', 'Patient/p', patient('p', { gender: 'male' }));
    events();

    const answer = ask('PUT', 'Patient/p', patient('p', { gender: 'male', name: [{ family: '' }], birthDate: null }));

    expect(answer).toMatchObject({ status: 200, json: { meta: { versionId: '1' } } });
    expect(events()).toEqual([]);
  });
});

describe('when one value is sent for an element that repeats', () => {
  const coding = { system: 's', code: 'c' };

  it.each([
    {
      given: 'Patient.name and given',
      sent: patient(undefined, { name: { family: 'A', given: 'B' } }),
      kept: { name: [{ family: 'A', given: ['B'] }] },
    },
    {
      given: 'Patient.identifier and its coding',
      sent: patient(undefined, { identifier: { type: { coding } } }),
      kept: { identifier: [{ type: { coding: [coding] } }] },
    },
    {
      given: 'a value and its extension',
      sent: patient(undefined, { name: { given: 'A', _given: { extension: { url: 'u', valueCode: 'c' } } } }),
      kept: { name: [{ given: ['A'], _given: [{ extension: [{ url: 'u', valueCode: 'c' }] }] }] },
    },
    {
      given: 'an extension of a datatype',
      sent: patient(undefined, { extension: { url: 'u', valueHumanName: { prefix: 'Dr' } } }),
      kept: { extension: [{ url: 'u', valueHumanName: { prefix: ['Dr'] } }] },
    },
    {
      given: 'a backbone element',
      sent: patient(undefined, { contact: { relationship: { coding }, name: { prefix: 'Dr' } } }),
      kept: { contact: [{ relationship: [{ coding: [coding] }], name: { prefix: ['Dr'] } }] },
    },
    {
      given: 'a contained resource',
      sent: patient(undefined, { contained: { resourceType: 'Practitioner', name: { given: 'A' } } }),
      kept: { contained: [{ resourceType: 'Practitioner', name: [{ given: ['A'] }] }] },
    },
    {
      given: 'names that repeat elsewhere',
      sent: { resourceType: 'Organization', name: 'A', identifier: { value: '1' } },
      kept: { name: 'A', identifier: [{ value: '1' }] },
    },
    {
      given: 'an identifier that does not repeat',
      sent: {
        resourceType: 'QuestionnaireResponse',
        identifier: { value: '1' },
        item: { linkId: '1', item: { linkId: '1.1', answer: { valueCode: 'c' } } },
      },
      kept: {
        identifier: { value: '1' },
        item: [{ linkId: '1', item: [{ linkId: '1.1', answer: [{ valueCode: 'c' }] }] }],
      },
    },
    {
      given: 'a choice of types',
      sent: {
        resourceType: 'Observation',
        category: { coding },
        effectiveTiming: { event: '2024', repeat: { when: 'HS' } },
      },
      kept: { category: [{ coding: [coding] }], effectiveTiming: { event: ['2024'], repeat: { when: ['HS'] } } },
    },
    {
      given: 'an element of the name resourceType',
      sent: { resourceType: 'ExampleScenario', instance: { resourceId: '1', resourceType: 'Patient', name: 'A' } },
      kept: { instance: [{ resourceId: '1', resourceType: 'Patient', name: 'A' }] },
    },
    {
      given: 'a resource in a Bundle',
      sent: {
        resourceType: 'Bundle',
        type: 'collection',
        entry: { resource: { resourceType: 'Patient', name: { family: 'A' } } },
      },
      kept: { type: 'collection', entry: [{ resource: { resourceType: 'Patient', name: [{ family: 'A' }] } }] },
    },
  ])('given $given, then the service stores a list of one', ({ sent, kept }) => {
    expect(stored(sent)).toEqual({ resourceType: sent.resourceType, ...kept });
  });

  it('given a JSON Patch adds one, then the service stores a list of one, and a search finds it', () => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Patient/p', patient('p'));

    const patch = [
      { op: 'add', path: '/name', value: { family: 'A' } },
      { op: 'add', path: '/meta/tag', value: { code: 'x' } },
    ];
    const { json } = ask('PATCH', 'Patient/p', patch, PATCH);

    expect(json).toMatchObject({ name: [{ family: 'A' }], meta: { tag: [{ code: 'x' }] } });
    expect(ask('GET', 'Patient?_tag=x').json.entry).toHaveLength(1);
  });
});

describe('when a list is sent for an element that does not repeat', () => {
  it('given one item, then the service stores the item', () => {
    expect(stored(patient(undefined, { birthDate: ['2000', null], maritalStatus: [{ text: 'S' }] }))).toEqual({
      resourceType: 'Patient',
      birthDate: '2000',
      maritalStatus: { text: 'S' },
    });
  });

  it.each([
    { given: 'a primitive', elements: { birthDate: ['2000', '2001'] }, expression: 'Patient.birthDate' },
    {
      given: 'a datatype',
      elements: { contact: [{ name: [{ family: 'A' }, { family: 'B' }] }] },
      expression: 'Patient.contact[0].name',
    },
    { given: 'an element of no type', elements: { shoeSize: [44, 45] }, expression: 'Patient.shoeSize' },
  ])('given two items of $given, then 400', ({ elements, expression }) => {
    const { status, json } = createFhirWorld().ask('POST', 'Patient', patient(undefined, elements));

    expect(status).toBe(400);
    expect(json.issue?.[0]).toMatchObject({ code: 'structure', expression: [expression] });
  });
});

describe('whatever form a resource has', () => {
  const value = fc.oneof(
    fc.constantFrom('', ' ', 'A', null, 5, {}, []),
    fc.constantFrom({ id: 'x' }, { given: ['', 'B'] }),
  );
  const element = fc.oneof(
    value,
    fc.array(value, { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('given', '_given', 'family', 'extension', 'coding'),
      fc.oneof(value, fc.array(value, { maxLength: 3 })),
      { maxKeys: 4 },
    ),
  );
  const elements = fc.dictionary(
    fc.constantFrom('name', '_name', 'birthDate', '_birthDate', 'contact', 'maritalStatus', 'fhir_comments'),
    element,
    { maxKeys: 5 },
  );

  it('given the stored resource is sent again, then nothing changes', () => {
    fc.assert(
      fc.property(elements, (sent) => {
        const { ask } = createFhirWorld();
        if (ask('PUT', 'Patient/p', patient('p', sent)).status !== 201) return;
        const { text, json } = ask('GET', 'Patient/p');

        expect(text).not.toMatch(/""|\{\}|\[\]|:null/);
        expect(ask('PUT', 'Patient/p', json)).toMatchObject({ status: 200, json: { meta: { versionId: '1' } } });
      }),
      { numRuns: 500 },
    );
  });
});

describe('the list of elements that repeat', () => {
  it('given the types of FHIR R4 in @types/fhir, then the list says the same', () => {
    expect(readFileSync(TARGET, 'utf8')).toBe(repeatingElementsJson());
  });
});
