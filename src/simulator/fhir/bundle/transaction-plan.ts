import type { Random } from '../../../clock.js';
import { type Call, parametersOf } from '../call.js';
import { isObject } from '../content/json.js';
import { refuse } from '../content/outcome.js';
import { isFhirId, isResourceType } from '../content/resource-types.js';
import { findMatches } from '../search/search.js';
import type { Store } from '../store/store.js';
import { unusedId } from '../writes.js';
import type { BundleEntry } from './bundle-entry.js';
import { replaceReferences, resolveConditionalReferences } from './references.js';

export type TransactionPlan = {
  /** Looks at the next entry, before any is done. Throws a FhirError where it can be no part of a transaction. */
  add(entry: BundleEntry): { newId: string | undefined };
  /** After all were added: what refers to entries, and to what is stored, refers to their ids. */
  resolve(entry: BundleEntry): void;
};

/**
 * In a transaction everything refers to what was stored before it and to its own entries, in whatever order they come:
 * ids are given, and conditions looked at, before the first of them is done.
 */
export function planTransaction({ store, random }: { store: Store; random: Random }, call: Call): TransactionPlan {
  /** From fullUrl to the reference that it becomes. */
  const references = new Map<string, string>();
  /** New resources by their condition: the second of the same condition finds the first. */
  const conditions = new Map<string, string>();
  const targets = new Set<string>();

  return {
    add(entry) {
      refuseUnfit(entry);
      const [resourceType = '', id] = entry.path.split('/');
      if (['GET', 'HEAD'].includes(entry.method) || !isResourceType(resourceType)) return { newId: undefined };
      const found = entry.method === 'POST' ? existing(entry, resourceType) : (id ?? existing(entry, resourceType));
      const isNew = found === undefined && ['POST', 'PUT'].includes(entry.method);
      const newId = isNew ? (ownId(entry) ?? unusedId(store, random, resourceType)) : undefined;
      const reference = `${resourceType}/${found ?? newId}`;
      const condition = conditionOf(entry);
      if (newId !== undefined && condition !== '') conditions.set(`${resourceType}?${condition}`, newId);
      claim(entry, found === undefined ? entry.fullUrl : reference);
      if (entry.fullUrl !== undefined && entry.method !== 'DELETE') references.set(entry.fullUrl, reference);
      return { newId };
    },

    resolve(entry) {
      if (!['POST', 'PUT'].includes(entry.method)) return;
      replaceReferences(entry.resource, (reference) => references.get(reference));
      resolveConditionalReferences(store, call, entry.resource);
    },
  };

  function existing(entry: BundleEntry, resourceType: string): string | undefined {
    const condition = conditionOf(entry);
    if (condition === '') return undefined;
    const parameters = parametersOf(new URLSearchParams(condition));
    const matches = findMatches(store, resourceType, { parameters, base: call.base, isStrict: false, max: 2 });
    if (matches.length > 1) {
      throw refuse(412, 'required', `More than one ${resourceType} meets '${condition}': it is not selective enough.`);
    }
    return matches[0]?.of.id ?? conditions.get(`${resourceType}?${condition}`);
  }

  function claim(entry: BundleEntry, target: string | undefined): void {
    if (target === undefined) return;
    const condition = entry.headers.get('if-none-exist');
    const isShared = condition !== undefined && [...conditions.values()].some((id) => target.endsWith(`/${id}`));
    if (targets.has(target) && !isShared) {
      const url = [entry.path, condition ?? entry.query].filter((part) => part !== '').join('?');
      throw refuse(400, 'invalid', `Bundle contains multiple entries that refers to the same resource '${url}'.`);
    }
    targets.add(target);
  }
}

/** Which resource an entry means, where it does not name it: the criteria; '' where there are none. */
function conditionOf({ method, query, headers }: BundleEntry): string {
  return method === 'POST' ? (headers.get('if-none-exist') ?? '') : query;
}

/** The id that a resource says itself: it counts where a conditional update creates it. */
function ownId({ method, resource }: BundleEntry): string | undefined {
  const id = method === 'PUT' && isObject(resource) ? resource.id : undefined;
  return isFhirId(id) ? id : undefined;
}

function refuseUnfit({ method, path, query, resource }: BundleEntry): void {
  const isSearch = method === 'POST' && path.endsWith('_search');
  if (isSearch || (method === 'DELETE' && query !== '')) {
    const url = query === '' ? path : `${path}?${query}`;
    throw refuse(400, 'invalid', `Requested operation '${url}' is not supported using ${method} in a transaction.`);
  }
  if (isObject(resource) && resource.resourceType === 'Bundle') {
    throw refuse(400, 'invalid', 'Requested operation does not support resource type: Bundle.');
  }
}
