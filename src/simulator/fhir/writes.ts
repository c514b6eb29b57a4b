import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../clock.js';
import { uuidOf } from '../seeded.js';
import { resolveConditionalReferences } from './bundle/references.js';
import { type Call, parametersOf, type Result } from './call.js';
import { refuse } from './content/outcome.js';
import { checkId, type FhirResource } from './content/resource-rules.js';
import { type Patch, patched, readPatch } from './patch.js';
import { isStrict } from './prefer.js';
import { notFound, undeleted } from './reads.js';
import { findMatches, notSelective } from './search/search.js';
import { type Store, stampedText } from './store/store.js';
import type { Version, WriteMethod } from './store/version.js';

export type Writes = {
  create(call: Call, resourceType: string): Result;
  update(call: Call, resourceType: string, id: string): Result;
  updateWhere(call: Call, resourceType: string): Result;
  patch(call: Call, resourceType: string, id: string): Result;
  patchWhere(call: Call, resourceType: string): Result;
  remove(call: Call, resourceType: string, id: string): Result;
  removeWhere(call: Call, resourceType: string): Result;
};

const MAX_DELETED_AT_ONCE = 100;

/** What changes a resource. Each is a FhirError that changed nothing, or a result that is stored. */
export function createWrites({ store, random }: { store: Store; random: Random }): Writes {
  return {
    create(call, resourceType) {
      const resource = resourceFor(call, resourceType);
      const criteria = call.header('if-none-exist');
      const matches = criteria === null ? [] : matchesOf(call, resourceType, new URLSearchParams(criteria), 2);
      if (matches.length > 1) throw ambiguous(resourceType);
      const [match] = matches;
      if (match)
        return { kind: 'version', status: 200, version: match, isWrite: true, text: 'The resource already exists.' };
      return created(call, resource);
    },

    update(call, resourceType, id) {
      checkId(id);
      const resource = resourceFor(call, resourceType);
      if (resource.id === undefined)
        throw refuse(400, 'invalid', 'Id must be specified in the resource.', `${resourceType}.id`);
      if (resource.id !== id)
        throw refuse(400, 'invalid', 'Id in the URL must match id in the resource.', `${resourceType}.id`);
      return put(call, { resourceType, id, method: 'PUT', resource });
    },

    updateWhere(call, resourceType) {
      const resource = resourceFor(call, resourceType);
      const matches = matchesOf(call, resourceType, call.query, 2);
      if (matches.length > 1) throw ambiguous(resourceType);
      const found = matches[0]?.of.id;
      if (found === undefined && resource.id === undefined) return created(call, resource, 'PUT');
      if (found !== undefined && resource.id !== undefined && resource.id !== found) {
        const diagnostics = `Found a result with id '${found}', which is not the id '${resource.id}' of the resource.`;
        throw refuse(400, 'invalid', diagnostics, `${resourceType}.id`);
      }
      const id = found ?? resource.id ?? '';
      checkId(id);
      // As there, the condition is the only one: an If-Match beside it is not looked at.
      return put({ ...call, header: () => null }, { resourceType, id, method: 'PUT', resource });
    },

    patch(call, resourceType, id) {
      checkId(id);
      const patch = readPatch(call.body.jsonPatch());
      const stored = store.get(resourceType, id);
      if (!stored) throw notFound(resourceType, id);
      return patchVersion(call, undeleted(stored.current), patch);
    },

    patchWhere(call, resourceType) {
      const patch = readPatch(call.body.jsonPatch());
      if (call.query.size === 0) throw notSelective(412, resourceType);
      const matches = matchesOf(call, resourceType, call.query, 2);
      if (matches.length > 1) throw ambiguous(resourceType);
      const [match] = matches;
      if (!match) throw refuse(404, 'not-found', `No ${resourceType} meets the criteria: there is nothing to patch.`);
      return patchVersion(call, match, patch);
    },

    remove(call, resourceType, id) {
      checkId(id);
      const version = removeOne(resourceType, id, isHard(call));
      return { kind: 'empty', status: 204, ...(version && { version }) };
    },

    removeWhere(call, resourceType) {
      const count = call.query.get('_count');
      const max = count === null ? 1 : Number(count);
      if (!Number.isInteger(max) || max < 1 || max > MAX_DELETED_AT_ONCE) {
        throw refuse(400, 'invalid', `The _count parameter must be between 1 and ${MAX_DELETED_AT_ONCE}.`);
      }
      const matches = matchesOf(call, resourceType, call.query, Math.max(max, 2));
      if (max === 1 && matches.length > 1) throw ambiguous(resourceType);
      const versions = matches.map(({ of }) => removeOne(resourceType, of.id, isHard(call)));
      const [version] = versions;
      return {
        kind: 'empty',
        status: 204,
        ...(version && max === 1 && { version }),
        ...(count !== null && { headers: { 'Items-Deleted': String(versions.length) } }),
      };
    },
  };

  function created(call: Call, resource: FhirResource, method: WriteMethod = 'POST'): Result {
    const { resourceType } = resource;
    resolveConditionalReferences(store, call, resource);
    const id = call.newId ?? unusedId(store, random, resourceType);
    const version = store.write({ resourceType, id, method, resource });
    return { kind: 'version', status: 201, version, isWrite: true, text: 'A new resource was created.' };
  }

  function put(
    call: Call,
    of: { resourceType: string; id: string; method: WriteMethod; resource: FhirResource },
  ): Result {
    const { resourceType, id, resource } = of;
    const before = store.get(resourceType, id)?.current;
    checkIfMatch(call, before, of);
    resolveConditionalReferences(store, call, resource);
    const isSame = before !== undefined && isUnchanged(before, resource);
    const version = isSame ? before : store.write(of);
    return { kind: 'version', status: version.number === 1 && !isSame ? 201 : 200, version, isWrite: true };
  }

  function patchVersion(call: Call, version: Version, patch: Patch): Result {
    const { resourceType, id } = version.of;
    checkIfMatch(call, version, { resourceType, id });
    const resource = patched(version.text ?? '', patch);
    return put(call, { resourceType, id, method: 'PATCH', resource });
  }

  /** The version that says so; undefined where there was nothing to delete, or where nothing is left of it. */
  function removeOne(resourceType: string, id: string, isHardDelete: boolean): Version | undefined {
    const stored = store.get(resourceType, id);
    if (stored && isHardDelete) store.remove(stored);
    if (!stored || isHardDelete || stored.current.text === undefined) return undefined;
    return store.write({ resourceType, id, method: 'DELETE', resource: undefined });
  }

  function matchesOf(call: Call, resourceType: string, query: URLSearchParams, max: number): readonly Version[] {
    return findMatches(store, resourceType, {
      parameters: parametersOf(query),
      base: call.base,
      isStrict: isStrict(call),
      max,
    });
  }
}

/** An id as the service gives it. */
export function unusedId(store: Store, random: Random, resourceType: string): string {
  for (;;) {
    const id = uuidOf(random);
    if (!store.get(resourceType, id)) return id;
  }
}

function resourceFor(call: Call, resourceType: string): FhirResource {
  const resource = call.body.resource();
  if (resource.resourceType === resourceType) return resource;
  throw refuse(400, 'invalid', 'Resource type in the URL must match resourceType in the resource.', 'resourceType');
}

/** `If-Match: W/"3"`: the write goes on only where version 3 is current. */
function checkIfMatch(call: Call, current: Version | undefined, of: { resourceType: string; id: string }): void {
  const header = call.header('if-match');
  if (header === null || header.trim() === '') return;
  const versionId = /^W\/"(.+)"$/.exec(header.trim())?.[1];
  if (versionId === undefined) throw refuse(400, 'invalid', `If-Match '${header}' is not a weak ETag such as W/"1".`);
  if (!current) {
    const diagnostics = `Resource type '${of.resourceType}' with id '${of.id}' and version '${versionId}' couldn't be found.`;
    throw refuse(404, 'not-found', diagnostics);
  }
  if (versionId !== String(current.number)) {
    throw refuse(
      412,
      'required',
      `The supplied version '${versionId}' did not match: version ${current.number} is current.`,
    );
  }
}

/** Whether nothing is new but what the service says itself. Then there is no new version, and no event. */
function isUnchanged({ of, number, atMs, text }: Version, resource: FhirResource): boolean {
  if (text === undefined) return false;
  const same = stampedText(resource, { id: of.id, number, atMs });
  return same === text || (same.length === text.length && isDeepStrictEqual(JSON.parse(same), JSON.parse(text)));
}

function isHard({ query }: Call): boolean {
  return ['_hardDelete', 'hardDelete'].some((name) => query.get(name)?.toLowerCase() === 'true');
}

function ambiguous(resourceType: string): Error {
  const diagnostics = `More than one ${resourceType} meets the criteria of the conditional request: they are not selective enough.`;
  return refuse(412, 'required', diagnostics);
}
