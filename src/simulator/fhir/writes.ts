import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../clock.js';
import { uuidOf } from '../seeded.js';
import { resolveConditionalReferences } from './bundle/references.js';
import type { Call, Result } from './call.js';
import { invalid, refuse } from './content/outcome.js';
import { checkId, type FhirResource } from './content/resource-rules.js';
import { applyPatch, type Patch, readPatch } from './patch.js';
import { currentVersion, notFound } from './reads.js';
import { findMatches, notSelective } from './search/search.js';
import { type Store, stampedText } from './store/store.js';
import type { Version, WriteMethod } from './store/version.js';

/** `random` makes the ids of new resources. */
export type WriteDeps = { readonly store: Store; readonly random: Random };

const MAX_DELETED_AT_ONCE = 100;

/**
 * The requests that change resources. Each returns a result that is stored, or throws a FhirError and changes nothing.
 */
export class Writes {
  readonly #deps: WriteDeps;
  readonly #store: Store;

  constructor(deps: WriteDeps) {
    this.#deps = deps;
    this.#store = deps.store;
  }

  create(call: Call, resourceType: string): Result {
    const resource = resourceFor(call, resourceType);
    const criteria = call.header('if-none-exist');
    const match = criteria === null ? undefined : this.#matchOf(call, resourceType, new URLSearchParams(criteria));
    if (match) {
      return { kind: 'version', status: 200, version: match, isWrite: true, text: 'The resource already exists.' };
    }
    return this.#created(call, resource);
  }

  update(call: Call, resourceType: string, id: string): Result {
    checkId(id);
    const resource = resourceFor(call, resourceType);
    const expression = `${resourceType}.id`;
    if (resource.id === undefined) throw invalid('Id must be specified in the resource.', expression);
    if (resource.id !== id) throw invalid('Id in the URL must match id in the resource.', expression);
    return this.#put(call, { resourceType, id, method: 'PUT', resource });
  }

  updateWhere(call: Call, resourceType: string): Result {
    const resource = resourceFor(call, resourceType);
    const found = this.#matchOf(call, resourceType, call.query)?.stored.id;
    if (found === undefined && resource.id === undefined) return this.#created(call, resource, 'PUT');
    if (found !== undefined && resource.id !== undefined && resource.id !== found) {
      const diagnostics = `Found a result with id '${found}', which is not the id '${resource.id}' of the resource.`;
      throw invalid(diagnostics, `${resourceType}.id`);
    }
    const id = found ?? resource.id ?? '';
    checkId(id);
    // The real service, too, ignores an If-Match header if the request has a condition.
    return this.#put({ ...call, header: () => null }, { resourceType, id, method: 'PUT', resource });
  }

  patch(call: Call, resourceType: string, id: string): Result {
    checkId(id);
    const patch = readPatch(call.body.jsonPatch());
    return this.#patchVersion(call, currentVersion(this.#store, resourceType, id), patch);
  }

  patchWhere(call: Call, resourceType: string): Result {
    const patch = readPatch(call.body.jsonPatch());
    if (call.query.size === 0) throw notSelective(412, resourceType);
    const match = this.#matchOf(call, resourceType, call.query);
    if (!match) throw refuse(404, 'not-found', `No ${resourceType} meets the criteria: there is nothing to patch.`);
    return this.#patchVersion(call, match, patch);
  }

  remove(call: Call, resourceType: string, id: string): Result {
    checkId(id);
    const version = this.#removeOne(resourceType, id, isHard(call));
    return { kind: 'empty', status: 204, version };
  }

  removeWhere(call: Call, resourceType: string): Result {
    const count = call.query.get('_count');
    const max = count === null ? 1 : Number(count);
    if (!Number.isInteger(max) || max < 1 || max > MAX_DELETED_AT_ONCE) {
      throw invalid(`The _count parameter must be between 1 and ${MAX_DELETED_AT_ONCE}.`);
    }
    const matches = this.#matchesOf(call, resourceType, { criteria: call.query, max: Math.max(max, 2) });
    if (max === 1 && matches.length > 1) throw ambiguous(resourceType);
    const versions = matches.map(({ stored }) => this.#removeOne(resourceType, stored.id, isHard(call)));
    return {
      kind: 'empty',
      status: 204,
      version: max === 1 ? versions[0] : undefined,
      ...(count !== null && { headers: { 'Items-Deleted': String(versions.length) } }),
    };
  }

  #created(call: Call, resource: FhirResource, method: WriteMethod = 'POST'): Result {
    const { resourceType } = resource;
    resolveConditionalReferences(this.#store, call, resource);
    const id = call.newId ?? unusedId(this.#deps, resourceType);
    const version = this.#store.write({ resourceType, id, method, resource });
    return { kind: 'version', status: 201, version, isWrite: true, text: 'A new resource was created.' };
  }

  #put(call: Call, write: { resourceType: string; id: string; method: WriteMethod; resource: FhirResource }): Result {
    const { resourceType, id, resource } = write;
    const before = this.#store.get(resourceType, id)?.current;
    checkIfMatch(call, before, write);
    resolveConditionalReferences(this.#store, call, resource);
    const isSame = before !== undefined && isUnchanged(before, resource);
    const version = isSame ? before : this.#store.write(write);
    return { kind: 'version', status: version.number === 1 && !isSame ? 201 : 200, version, isWrite: true };
  }

  #patchVersion(call: Call, version: Version, patch: Patch): Result {
    const { resourceType, id } = version.stored;
    checkIfMatch(call, version, { resourceType, id });
    const resource = applyPatch(version.text ?? '', patch);
    return this.#put(call, { resourceType, id, method: 'PATCH', resource });
  }

  /** Returns the version of the deletion; undefined if nothing was there, or after a hard delete. */
  #removeOne(resourceType: string, id: string, isHardDelete: boolean): Version | undefined {
    const stored = this.#store.get(resourceType, id);
    if (stored && isHardDelete) this.#store.remove(stored);
    if (!stored || isHardDelete || stored.current.text === undefined) return undefined;
    return this.#store.write({ resourceType, id, method: 'DELETE', resource: undefined });
  }

  /** Returns the one resource that meets the criteria. */
  #matchOf(call: Call, resourceType: string, criteria: URLSearchParams): Version | undefined {
    const [match, another] = this.#matchesOf(call, resourceType, { criteria, max: 2 });
    if (another) throw ambiguous(resourceType);
    return match;
  }

  #matchesOf(
    { base, prefer }: Call,
    resourceType: string,
    wanted: { criteria: URLSearchParams; max: number },
  ): readonly Version[] {
    return findMatches(this.#store, resourceType, { ...wanted, base, isStrict: prefer.isStrict });
  }
}

/** Returns a new id, made as the service makes ids. */
export function unusedId({ store, random }: WriteDeps, resourceType: string): string {
  for (;;) {
    const id = uuidOf(random);
    if (!store.get(resourceType, id)) return id;
  }
}

function resourceFor(call: Call, resourceType: string): FhirResource {
  const resource = call.body.resource();
  if (resource.resourceType === resourceType) return resource;
  throw invalid('Resource type in the URL must match resourceType in the resource.', 'resourceType');
}

/** Refuses the write with `If-Match: W/"3"` unless version 3 is current. */
function checkIfMatch(call: Call, current: Version | undefined, name: { resourceType: string; id: string }): void {
  const header = call.header('if-match');
  if (header === null || header.trim() === '') return;
  const versionId = /^W\/"(.+)"$/.exec(header.trim())?.[1];
  if (versionId === undefined) throw invalid(`If-Match '${header}' is not a weak ETag such as W/"1".`);
  if (!current) throw notFound({ ...name, versionId });
  if (versionId !== String(current.number)) {
    const diagnostics = `The supplied version '${versionId}' did not match: version ${current.number} is current.`;
    throw refuse(412, 'required', diagnostics);
  }
}

/** Returns whether the write would change nothing but version and time. Then it makes no version and no event. */
function isUnchanged({ stored, number, atMs, text }: Version, resource: FhirResource): boolean {
  if (text === undefined) return false;
  const same = stampedText(resource, { id: stored.id, number, atMs });
  return same === text || (same.length === text.length && isDeepStrictEqual(JSON.parse(same), JSON.parse(text)));
}

function isHard({ query }: Call): boolean {
  return ['_hardDelete', 'hardDelete'].some((name) => query.get(name)?.toLowerCase() === 'true');
}

function ambiguous(resourceType: string): Error {
  const diagnostics = `More than one ${resourceType} meets the criteria of the conditional request: they are not selective enough.`;
  return refuse(412, 'required', diagnostics);
}
