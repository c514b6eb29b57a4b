import { isDeeperThan, isObject } from './json.js';
import { type FhirError, refuse } from './outcome.js';
import { isFhirId, isResourceType } from './resource-types.js';

export type FhirResource = {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: unknown;
  readonly [element: string]: unknown;
};

/** Names of elements in FHIR's JSON; an underscore leads to the extensions of a primitive. */
const ELEMENT_NAME = /^_?[A-Za-z][A-Za-z0-9]*$/;
const MOST_LEVELS = 64;

/** What breaks FHIR's rules of JSON, and where, from inside out. */
type Problem = { readonly path: string; readonly text: string };

/**
 * The value as a resource: of a known type, and whole by the rules that FHIR's JSON has for every type. Which elements
 * a type has is not looked at. Empty arrays are taken out of it, as the real service does; throws a FhirError otherwise.
 */
export function readResource(value: unknown): FhirResource {
  if (!isObject(value)) throw refuse(400, 'structure', `A resource is a JSON object. Found ${kindOf(value)}.`);
  const { resourceType, id, meta } = value;
  if (typeof resourceType !== 'string') {
    throw refuse(400, 'structure', `A resource says its type in 'resourceType'. Found ${kindOf(resourceType)} there.`);
  }
  if (!isResourceType(resourceType))
    throw refuse(400, 'invalid', `Resource type '${resourceType}' is not one of FHIR R4.`);
  if (id !== undefined && typeof id !== 'string') throw at(`${resourceType}.id`, `is ${kindOf(id)}, not a string`);
  if (meta !== undefined && !isObject(meta)) throw at(`${resourceType}.meta`, `is ${kindOf(meta)}, not an object`);
  if (isDeeperThan(value, MOST_LEVELS)) throw at(resourceType, `is nested deeper than ${MOST_LEVELS} levels`);

  const problem = problemOfObject(value);
  if (problem) throw at(`${resourceType}${problem.path}`, problem.text);
  return value as FhirResource;
}

export function checkId(id: string): void {
  if (!isFhirId(id)) {
    throw refuse(400, 'invalid', `'${id}' is not an id: it has up to 64 of A-Z, a-z, 0-9, '-' and '.'.`);
  }
}

function at(expression: string, text: string): FhirError {
  return refuse(400, 'structure', `${expression} ${text}.`, expression);
}

function problemOfObject(object: Record<string, unknown>): Problem | undefined {
  const names = Object.keys(object);
  if (names.length === 0) return { path: '', text: 'is an empty object: leave it out' };
  for (const name of names) {
    const value = object[name];
    if (!ELEMENT_NAME.test(name)) return { path: '', text: `has '${name}', which cannot be the name of an element` };
    if (Array.isArray(value) && value.length === 0) {
      delete object[name];
      continue;
    }
    const problem = Array.isArray(value) ? problemOfArray(value, object[twinOf(name)]) : problemOfValue(value);
    if (problem) return { path: `.${name}${problem.path}`, text: problem.text };
  }
  return undefined;
}

/** A null is allowed for a primitive that has only extensions, and for the extensions of one that has only a value. */
function problemOfArray(values: readonly unknown[], twin: unknown): Problem | undefined {
  for (const [n, value] of values.entries()) {
    if (value === null && Array.isArray(twin) && (twin[n] ?? null) !== null) continue;
    const problem = Array.isArray(value) ? { path: '', text: 'is an array in an array' } : problemOfValue(value);
    if (problem) return { path: `[${n}]${problem.path}`, text: problem.text };
  }
  return undefined;
}

function problemOfValue(value: unknown): Problem | undefined {
  if (isObject(value)) return problemOfObject(value);
  if (value === null) return { path: '', text: 'is null: leave it out' };
  if (typeof value === 'string' && value.trim() === '') return { path: '', text: 'is an empty string: leave it out' };
  if (typeof value === 'number' && !Number.isFinite(value)) return { path: '', text: 'is a number beyond all bounds' };
  return undefined;
}

function twinOf(name: string): string {
  return name.startsWith('_') ? name.slice(1) : `_${name}`;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
