import { readFileSync } from 'node:fs';
import { isResourceType, nearestResourceType, RESOURCE_TYPES } from '../src/fhir-types.js';

describe('when RESOURCE_TYPES lists the resource types of R4', () => {
  it('given the types of @types/fhir, then both lists are equal', () => {
    const declared = readFileSync(require.resolve('@types/fhir/r4.d.ts'), 'utf8');
    const types = [...declared.matchAll(/readonly resourceType: '(\w+)'/g)].map(([, type]) => type);

    expect(types.length).toBeGreaterThan(140);
    expect([...new Set(types)].sort()).toEqual([...RESOURCE_TYPES].sort());
    expect(types.filter((type) => !isResourceType(type))).toEqual([]);
  });
});

describe('when nearestResourceType looks for a resource type', () => {
  it.each([
    { name: 'MedicationRequst', nearest: 'MedicationRequest' },
    { name: 'Pateint', nearest: 'Patient' },
    { name: 'observations', nearest: 'Observation' },
    { name: 'Lst', nearest: 'List' },
    { name: 'PATIENT', nearest: 'Patient' },
    { name: 'Potato', nearest: undefined },
    { name: '', nearest: undefined },
  ])("given '$name', then the nearest type is $nearest", ({ name, nearest }) => {
    expect(nearestResourceType(name)).toBe(nearest);
  });
});
