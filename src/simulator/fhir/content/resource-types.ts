export { isResourceType, RESOURCE_TYPES } from '../../../fhir-types.js';

const ID = /^[A-Za-z0-9\-.]{1,64}$/;

export function isFhirId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id);
}
