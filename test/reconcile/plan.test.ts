import { isWanted, partsOf } from '../../src/reconcile/plan.js';
import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir, type Selector } from '../../src/workflow.js';

function workflow(on: Selector | readonly Selector[], ordering: 'any' | 'latest' = 'any') {
  return defineWorkflow({ name: 'one', on: on as Selector, ordering, handle() {} });
}

describe('when it is decided what to read', () => {
  it.each([
    { given: 'all types', on: fhir('*'), parts: [{ kind: 'history' }] },
    { given: 'one type', on: fhir('Patient'), parts: [{ kind: 'history', type: 'Patient' }] },
    { given: 'two types', on: fhir(['Patient', 'Device']), parts: [{ kind: 'history' }] },
    {
      given: 'two types, of which one is asked for',
      on: fhir(['Patient', 'Device']),
      types: ['Device'],
      parts: [{ kind: 'history', type: 'Device' }],
    },
    {
      given: 'all types, of which one is asked for',
      on: fhir('*'),
      types: ['Device'],
      parts: [{ kind: 'history', type: 'Device' }],
    },
    { given: 'a type that no workflow wants', on: fhir('Patient'), types: ['Device'], parts: [] },
    { given: 'images alone', on: dicom(), parts: [] },
  ])('given $given, then the parts are $parts', ({ on, types, parts }) => {
    expect(partsOf('fhir', { workflows: [workflow(on)], types })).toEqual(parts);
  });

  it.each([
    {
      given: 'latest and two types',
      on: fhir(['Patient', 'Device']),
      parts: [
        { kind: 'current', type: 'Device' },
        { kind: 'current', type: 'Patient' },
      ],
    },
    {
      given: 'latest, all types, one asked for',
      on: fhir('*'),
      types: ['Device'],
      parts: [{ kind: 'current', type: 'Device' }],
    },
    { given: 'latest and all types', on: fhir('*'), parts: [{ kind: 'history' }] },
    {
      given: 'latest, but only creations',
      on: fhir('Patient', ['created']),
      parts: [{ kind: 'history', type: 'Patient' }],
    },
  ])('given one workflow with $given, then the parts are $parts', ({ on, types, parts }) => {
    expect(partsOf('fhir', { workflows: [workflow(on, 'latest')], types })).toEqual(parts);
  });

  it('given several workflows with latest, then the history is read', () => {
    const workflows = [workflow(fhir('Patient'), 'latest'), workflow(fhir('Device'), 'latest')];

    expect(partsOf('fhir', { workflows })).toEqual([{ kind: 'history' }]);
  });

  it.each([
    { given: 'a workflow for images', on: dicom(), parts: [{ kind: 'feed' }] },
    { given: 'FHIR types', on: dicom(), types: ['Patient'], parts: [] },
    { given: 'no workflow for images', on: fhir('*'), parts: [] },
  ])('given a DICOM service and $given, then the parts are $parts', ({ on, types, parts }) => {
    expect(partsOf('dicom', { workflows: [workflow(on)], types })).toEqual(parts);
  });
});

describe('when a change is found', () => {
  const workflows = [workflow([fhir(['Patient', 'Device'], ['created']), dicom()])];

  it.each([
    { given: 'a change that a workflow wants', event: fhirEvent(), wanted: true },
    { given: 'another change of the type', event: fhirEvent({ change: 'deleted' }), wanted: false },
    { given: 'a type that is not asked for', event: fhirEvent(), types: ['Device'], wanted: false },
    {
      given: 'a type that is asked for',
      event: fhirEvent({ resourceType: 'Device' }),
      types: ['Device'],
      wanted: true,
    },
    { given: 'an image', event: dicomEvent(), wanted: true },
    { given: 'an image, and FHIR types', event: dicomEvent(), types: ['Patient'], wanted: false },
  ])('given $given, then wanted: $wanted', ({ event, types, wanted }) => {
    expect(isWanted({ workflows, types }, event)).toBe(wanted);
  });
});
