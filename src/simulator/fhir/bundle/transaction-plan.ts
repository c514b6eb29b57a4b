import { isResourceType } from '../../../fhir-types.js';
import type { Call } from '../call.js';
import { isObject } from '../content/json.js';
import { invalid, refuse } from '../content/outcome.js';
import { isFhirId } from '../content/resource-rules.js';
import { findMatches } from '../search/search.js';
import { unusedId, type WriteDeps } from '../writes.js';
import type { BundleEntry } from './bundle-entry.js';
import { replaceReferences, resolveConditionalReferences } from './references.js';

/**
 * Gives the ids of a transaction, and evaluates its conditions, before the first entry runs. So each entry can refer to
 * stored resources and to all entries, in any order.
 */
export class TransactionPlan {
  readonly #deps: WriteDeps;
  readonly #call: Call;
  /** The reference that replaces each fullUrl. */
  readonly #references = new Map<string, string>();
  /** New resources by their condition: the second entry with a condition finds the resource of the first. */
  readonly #conditions = new Map<string, string>();
  readonly #targets = new Set<string>();

  constructor(deps: WriteDeps, call: Call) {
    this.#deps = deps;
    this.#call = call;
  }

  /**
   * Plans the next entry; returns the id if it makes a resource. Throws a FhirError for an entry that is not allowed.
   */
  add(entry: BundleEntry): string | undefined {
    refuseUnfit(entry);
    const [resourceType = '', id] = entry.path.split('/');
    if (['GET', 'HEAD'].includes(entry.method) || !isResourceType(resourceType)) return undefined;
    const isPost = entry.method === 'POST';
    const found = isPost ? this.#existing(entry, resourceType) : (id ?? this.#existing(entry, resourceType));
    const isNew = found === undefined && ['POST', 'PUT'].includes(entry.method);
    const newId = isNew ? (ownId(entry) ?? unusedId(this.#deps, resourceType)) : undefined;
    const reference = `${resourceType}/${found ?? newId}`;
    const condition = conditionOf(entry);
    if (newId !== undefined && condition !== '') this.#conditions.set(`${resourceType}?${condition}`, newId);
    this.#claim(entry, found === undefined ? entry.fullUrl : reference);
    if (entry.fullUrl !== undefined && entry.method !== 'DELETE') this.#references.set(entry.fullUrl, reference);
    return newId;
  }

  /** Replaces the references in an entry by ids. Called after all entries were added. */
  resolve(entry: BundleEntry): void {
    if (!['POST', 'PUT'].includes(entry.method)) return;
    replaceReferences(entry.resource, (reference) => this.#references.get(reference));
    resolveConditionalReferences(this.#deps.store, this.#call, entry.resource);
  }

  #existing(entry: BundleEntry, resourceType: string): string | undefined {
    const condition = conditionOf(entry);
    if (condition === '') return undefined;
    const criteria = new URLSearchParams(condition);
    const { base } = this.#call;
    const [match, another] = findMatches(this.#deps.store, resourceType, { criteria, base, isStrict: false, max: 2 });
    if (another) {
      throw refuse(412, 'required', `More than one ${resourceType} meets '${condition}': it is not selective enough.`);
    }
    return match?.stored.id ?? this.#conditions.get(`${resourceType}?${condition}`);
  }

  #claim(entry: BundleEntry, target: string | undefined): void {
    if (target === undefined) return;
    const condition = entry.headers.get('if-none-exist');
    const isShared = condition !== undefined && [...this.#conditions.values()].some((id) => target.endsWith(`/${id}`));
    if (this.#targets.has(target) && !isShared) {
      const url = [entry.path, condition ?? entry.query].filter((part) => part !== '').join('?');
      throw invalid(`Bundle contains multiple entries that refers to the same resource '${url}'.`);
    }
    this.#targets.add(target);
  }
}

/** Returns the criteria that select the resource of an entry; '' where the entry has none. */
function conditionOf({ method, query, headers }: BundleEntry): string {
  return method === 'POST' ? (headers.get('if-none-exist') ?? '') : query;
}

/** Returns the id in the resource: a conditional update that creates the resource uses it. */
function ownId({ method, resource }: BundleEntry): string | undefined {
  const id = method === 'PUT' && isObject(resource) ? resource.id : undefined;
  return isFhirId(id) ? id : undefined;
}

function refuseUnfit({ method, path, query, resource }: BundleEntry): void {
  const isSearch = method === 'POST' && path.endsWith('_search');
  if (isSearch || (method === 'DELETE' && query !== '')) {
    const url = query === '' ? path : `${path}?${query}`;
    throw invalid(`Requested operation '${url}' is not supported using ${method} in a transaction.`);
  }
  if (isObject(resource) && resource.resourceType === 'Bundle') {
    throw invalid('Requested operation does not support resource type: Bundle.');
  }
}
