import { isDeepStrictEqual } from 'node:util';
import jsonPatch, { type Operation } from 'fast-json-patch';
import { isObject, parseExactly, withPlainNumbers } from './content/json.js';
import { invalid, refuse } from './content/outcome.js';
import { type FhirResource, readResource } from './content/resource-rules.js';

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/** Operations with a valid `op` and `path`. `applyPatch` finds out whether each applies. */
export type Patch = readonly (Record<string, unknown> & { readonly op: string; readonly path: string })[];

/**
 * Checks the form of a JSON Patch before a resource is read, as the real service does. Throws a FhirError if `patch` is
 * not a JSON Patch.
 */
export function readPatch(patch: unknown): Patch {
  if (!Array.isArray(patch)) throw refuse(400, 'structure', 'A JSON Patch is an array of operations.');
  for (const [n, operation] of patch.entries()) {
    if (!isObject(operation) || !OPERATIONS.includes(String(operation.op))) {
      throw invalid(`${nameOf(n)} needs an 'op', one of ${OPERATIONS.join(', ')}.`);
    }
    if (typeof operation.path !== 'string' || !operation.path.startsWith('/')) {
      throw invalid(`${nameOf(n)} (${operation.op}) needs a 'path' such as /birthDate.`);
    }
  }
  return patch as unknown as Patch;
}

/** Returns the resource after all operations. Throws a FhirError that names the operation that does not apply. */
export function applyPatch(text: string, patch: Patch): FhirResource {
  const resource = parseExactly(text) as FhirResource;
  let document: unknown = parseExactly(text);
  for (const [n, operation] of patch.entries()) document = apply(document, operation, nameOf(n));
  if (immutablesOf(document) !== immutablesOf(resource)) {
    const names = 'resourceType, id, meta.versionId, meta.lastUpdated, text.div and text.status';
    throw invalid(`Patching immutable properties is not allowed: ${names}.`);
  }
  return readResource(document);
}

function nameOf(n: number): string {
  return `Operation ${n + 1} of the patch`;
}

function apply(document: unknown, operation: Patch[number], name: string): unknown {
  const { op, path, value } = operation;
  try {
    if (op !== 'test') {
      return jsonPatch.applyOperation(document, operation as unknown as Operation, true, true, true).newDocument;
    }
    // Numbers are compared by their value, however they are written.
    const found = withPlainNumbers(jsonPatch.getValueByPointer(document, path));
    if (value !== undefined && isDeepStrictEqual(found, withPlainNumbers(value))) return document;
  } catch (error) {
    throw refuse(400, 'processing', `${name} (${op} ${path}) cannot be applied: ${reasonOf(error)}.`);
  }
  throw refuse(400, 'processing', `${name} (test ${path}) failed: something else is there.`);
}

/** Returns the kind of a library's error in words, because its message would repeat the resource. */
function reasonOf(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  return /^[A-Z_]+$/.test(name) ? name.toLowerCase().replaceAll('_', ' ') : 'the path does not lead anywhere';
}

function immutablesOf(document: unknown): string {
  const { resourceType, id, meta, text } = isObject(document) ? document : {};
  const { versionId, lastUpdated } = isObject(meta) ? meta : {};
  const { div, status } = isObject(text) ? text : {};
  return JSON.stringify([resourceType, id, versionId, lastUpdated, div, status].map((value) => value ?? null));
}
