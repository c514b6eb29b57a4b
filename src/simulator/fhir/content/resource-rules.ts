import { isResourceType } from '../../../fhir-types.js';
import { cleanElements, problemAt } from './clean-elements.js';
import { isObject, isTooDeep, MAX_LEVELS } from './json.js';
import { invalid, refuse } from './outcome.js';

/** A resource as parsed JSON. No check finds out whether its type has an element of a name. */
export type FhirResource = {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: unknown;
  readonly [element: string]: unknown;
};

const ID = /^[A-Za-z0-9\-.]{1,64}$/;

/**
 * Returns the value as a resource of a known type, in the form in which the real service stores it (`cleanElements`).
 * No check finds out which elements a type has. Throws a FhirError for other values.
 */
export function readResource(value: unknown): FhirResource {
  if (!isObject(value)) throw refuse(400, 'structure', `A resource is a JSON object. Found ${kindOf(value)}.`);
  const { resourceType } = value;
  if (typeof resourceType !== 'string') {
    throw refuse(400, 'structure', `A resource says its type in 'resourceType'. Found ${kindOf(resourceType)} there.`);
  }
  if (!isResourceType(resourceType)) throw invalid(`Resource type '${resourceType}' is not one of FHIR R4.`);
  if (isTooDeep(value)) throw problemAt([resourceType], `is nested deeper than ${MAX_LEVELS} levels`);

  cleanElements(value, [resourceType]);
  const { id, meta } = value;
  if (id !== undefined && typeof id !== 'string') {
    throw problemAt([resourceType, 'id'], `is ${kindOf(id)}, not a string`);
  }
  if (meta !== undefined && !isObject(meta)) {
    throw problemAt([resourceType, 'meta'], `is ${kindOf(meta)}, not an object`);
  }
  return value as FhirResource;
}

/** Returns whether `id` is an id of FHIR: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'. */
export function isFhirId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id);
}

/** Throws a FhirError (400) unless `id` is an id of FHIR. */
export function checkId(id: string): void {
  if (!isFhirId(id)) throw invalid(`'${id}' is not an id: it has up to 64 of A-Z, a-z, 0-9, '-' and '.'.`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
