import type { Change, HealthEvent } from '../events/health-event.js';
import { type Selector, type Workflow, wants } from '../workflow.js';
import type { FhirPart } from './fhir-history.js';

/** A part of a service to read. The DICOM change feed has no parts. */
export type Part = FhirPart | { readonly kind: 'feed' };

/** `types`: the FHIR types to compare. Default: all that a workflow wants. */
export type Wanted = { readonly workflows: readonly Workflow[]; readonly types?: readonly string[] | undefined };

/** Returns whether an event is one to compare. */
export function isWanted({ workflows, types }: Wanted, event: HealthEvent): boolean {
  const isOfType = types === undefined || (event.service === 'fhir' && types.includes(event.resourceType));
  return isOfType && workflows.some((workflow) => wants(workflow, event));
}

/**
 * Returns the parts of a service that hold all wanted changes; none if no workflow wants a change of this kind of
 * service. With one workflow with `ordering: 'latest'` these are the current versions, which are fewer: its handler
 * would skip the older versions. Deletions are not among them.
 */
export function partsOf(service: HealthEvent['service'], { workflows, types }: Wanted): Part[] {
  const selectors = workflows.flatMap(({ on }) => on).filter((selector) => selector.service === service);
  if (selectors.length === 0) return [];
  if (service === 'dicom') return types === undefined ? [{ kind: 'feed' }] : [];
  const wanted = typesOf(selectors, types);
  if (wanted === '*') return [{ kind: 'history' }];
  const [only] = workflows;
  if (workflows.length === 1 && only?.ordering === 'latest' && selectors.every(isOfAnyVersion))
    return wanted.map((type) => ({ kind: 'current', type }));
  const [type, ...others] = wanted;
  if (type === undefined) return [];
  return [others.length === 0 ? { kind: 'history', type } : { kind: 'history' }];
}

function typesOf(selectors: readonly Selector[], types: readonly string[] | undefined): readonly string[] | '*' {
  const all = selectors.some(({ resourceTypes }) => resourceTypes === '*')
    ? '*'
    : [...new Set(selectors.flatMap(({ resourceTypes }) => resourceTypes))].sort();
  if (types === undefined) return all;
  return [...new Set(types)].filter((type) => all === '*' || all.includes(type)).sort();
}

/** The current version may be the first or a later one, so that a workflow must want both to get each resource. */
function isOfAnyVersion({ changes }: Selector): boolean {
  return (['created', 'updated'] satisfies Change[]).every((change) => changes.includes(change));
}
