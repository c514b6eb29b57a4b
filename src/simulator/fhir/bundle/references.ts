import { isResourceType } from '../../../fhir-types.js';
import type { Call } from '../call.js';
import { isObject } from '../content/json.js';
import { invalid } from '../content/outcome.js';
import { findMatches } from '../search/search.js';
import type { Store } from '../store/store.js';

/** Replaces the references in `value`, at any depth. Where `replace` returns undefined, the reference stays. */
export function replaceReferences(value: unknown, replace: (reference: string) => string | undefined): void {
  if (Array.isArray(value)) for (const item of value) replaceReferences(item, replace);
  if (!isObject(value)) return;
  for (const [name, child] of Object.entries(value)) {
    if (name === 'reference' && typeof child === 'string') value.reference = replace(child) ?? child;
    else replaceReferences(child, replace);
  }
}

/** Replaces a conditional reference such as `Practitioner?identifier=…` by the one resource that it selects. */
export function resolveConditionalReferences(store: Store, { base }: Pick<Call, 'base'>, resource: unknown): void {
  replaceReferences(resource, (reference) => {
    const at = reference.indexOf('?');
    if (at < 0) return undefined;
    const resourceType = reference.slice(0, at);
    if (!isResourceType(resourceType)) {
      throw invalid(`Resource type '${resourceType}' in the reference '${reference}' is not supported.`);
    }
    const criteria = new URLSearchParams(reference.slice(at + 1));
    const [match, another] = findMatches(store, resourceType, { criteria, base, isStrict: false, max: 2 });
    if (another) throw invalid(`Given conditional reference '${reference}' resolved to multiple resources.`);
    if (!match) throw invalid(`Given conditional reference '${reference}' does not resolve to a resource.`);
    return `${resourceType}/${match.stored.id}`;
  });
}
