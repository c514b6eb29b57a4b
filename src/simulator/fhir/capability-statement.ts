import { RESOURCE_TYPES } from '../../fhir-types.js';
import { parametersOf } from './search/search-parameters.js';

const OF_EVERY_TYPE = {
  interaction: codes('read vread update patch delete history-instance history-type create search-type'),
  versioning: 'versioned',
  readHistory: true,
  updateCreate: true,
  conditionalCreate: true,
  conditionalRead: 'not-supported',
  conditionalUpdate: true,
  conditionalDelete: 'multiple',
  referencePolicy: ['literal', 'local'],
} as const;

/** Returns the CapabilityStatement, which lists only what the service can do. */
export function capabilityText({ base, date }: { base: string; date: Date }): string {
  return JSON.stringify({
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: date.toISOString(),
    publisher: 'Simulator',
    kind: 'instance',
    software: { name: 'Simulated FHIR service' },
    implementation: { description: 'A FHIR service in memory, for tests: it holds no real data.', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        resource: RESOURCE_TYPES.map((type) => ({ type, ...OF_EVERY_TYPE, searchParam: searchParametersOf(type) })),
        interaction: codes('transaction batch search-system history-system'),
        searchParam: searchParametersOf(undefined),
      },
    ],
  });
}

function searchParametersOf(resourceType: string | undefined): { name: string; type: string }[] {
  return Object.entries(parametersOf(resourceType)).map(([name, type]) => ({ name, type }));
}

function codes(text: string): { code: string }[] {
  return text.split(' ').map((code) => ({ code }));
}
