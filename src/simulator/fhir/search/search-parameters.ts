import { RESOURCE_TYPES } from '../../../fhir-types.js';
import typesWith from './search-parameters.json' with { type: 'json' };

/** The search parameters that the service supports, and their types in FHIR R4. */
type Parameters = Readonly<Record<string, string>>;

const OF_EVERY_TYPE: Parameters = { _id: 'token', _lastUpdated: 'date', _profile: 'uri', _tag: 'token' };
const OF_SOME_TYPES = { identifier: 'token', patient: 'reference', subject: 'reference' } as const;
const OF_ALL_TYPES_TOGETHER: Parameters = { ...OF_EVERY_TYPE, _type: 'special', ...OF_SOME_TYPES };

const OF_TYPE = new Map(RESOURCE_TYPES.map((type) => [type, { ...OF_EVERY_TYPE }]));
for (const name of ['identifier', 'patient', 'subject'] as const) {
  for (const type of typesWith[name].split(' '))
    Object.assign(OF_TYPE.get(type) ?? {}, { [name]: OF_SOME_TYPES[name] });
}

/** Returns the search parameters of a type; without a type, those of a search over all types. */
export function parametersOf(resourceType: string | undefined): Parameters {
  return resourceType === undefined ? OF_ALL_TYPES_TOGETHER : (OF_TYPE.get(resourceType) ?? {});
}
