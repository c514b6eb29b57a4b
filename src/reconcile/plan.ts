import type { Readers, ServiceName } from '../clients/readers.js';
import type { Clock } from '../clock.js';
import type { Change, HealthEvent } from '../events/health-event.js';
import { type Selector, type Workflow, wants } from '../workflow.js';
import { dicomChanges } from './dicom-feed.js';
import { type FhirPart, fhirChanges } from './fhir-history.js';
import type { FoundPage, Span } from './found-page.js';
import { createGetPage } from './get-page.js';

/** A part of a service to read. The DICOM change feed has no parts. */
export type Part = FhirPart | { readonly kind: 'feed' };

/** `types`: the FHIR types to compare. Default: all that a workflow wants. */
type Wanted = { readonly workflows: readonly Workflow[]; readonly types?: readonly string[] | undefined };

/** Returns whether an event is one to compare. */
export function isWanted({ workflows, types }: Wanted, event: HealthEvent): boolean {
  const isOfType = types === undefined || (event.service === 'fhir' && types.includes(event.resourceType));
  return isOfType && workflows.some((workflow) => wants(workflow, event));
}

/**
 * Returns the parts of a service that hold all wanted changes; none if no workflow wants a change of this kind of
 * service. For a single workflow with `ordering: 'latest'`, the parts are the current versions, without deletions: they are
 * fewer, and the workflow would skip the older versions.
 */
export function partsOf(service: HealthEvent['service'], wanted: Wanted): Part[] {
  const { workflows, types } = wanted;
  const selectors = selectorsOf(service, workflows);
  const wantedTypes = typesOf(selectors, types);
  const [only] = workflows;
  if (
    service === 'fhir' &&
    wantedTypes !== '*' &&
    workflows.length === 1 &&
    only?.ordering === 'latest' &&
    selectors.every(isOfAnyVersion)
  )
    return wantedTypes.map((type) => ({ kind: 'current', type }));
  const history = historyOf(service, wanted);
  return history ? [history] : [];
}

/** Returns the part of a service that holds all wanted changes, also deletions; undefined if no workflow wants any. */
export function historyOf(service: HealthEvent['service'], { workflows, types }: Wanted): Part | undefined {
  const selectors = selectorsOf(service, workflows);
  if (selectors.length === 0) return undefined;
  if (service === 'dicom') return types === undefined ? { kind: 'feed' } : undefined;
  const wanted = typesOf(selectors, types);
  if (wanted === '*') return { kind: 'history' };
  const [type, ...others] = wanted;
  if (type === undefined) return undefined;
  return others.length === 0 ? { kind: 'history', type } : { kind: 'history' };
}

function selectorsOf(service: HealthEvent['service'], workflows: readonly Workflow[]): readonly Selector[] {
  return workflows.flatMap(({ on }) => on).filter((selector) => selector.service === service);
}

function typesOf(selectors: readonly Selector[], types: readonly string[] | undefined): readonly string[] | '*' {
  const all = selectors.some(({ resourceTypes }) => resourceTypes === '*')
    ? '*'
    : [...new Set(selectors.flatMap(({ resourceTypes }) => resourceTypes))].sort();
  if (types === undefined) return all;
  return [...new Set(types)].filter((type) => all === '*' || all.includes(type)).sort();
}

/** Returns whether a selector wants first and later versions: the current version of a resource can be either. */
function isOfAnyVersion({ changes }: Selector): boolean {
  return (['created', 'updated'] satisfies Change[]).every((change) => changes.includes(change));
}

/**
 * Opens the changes of a part of a service, through the app's own clients.
 * @throws NonRetriableError at once if the host is not listed
 */
export function openChanges(
  of: ServiceName & { readonly part: Part; readonly span: Span },
  deps: { readers: Pick<Readers, 'pagesOf'>; clock: Clock; signal: AbortSignal; onWait?: (waitMs: number) => void },
): AsyncIterable<FoundPage> {
  const { host, part, span } = of;
  const pages = deps.readers.pagesOf(of, deps.signal);
  const get = createGetPage(pages, deps);
  return part.kind === 'feed' ? dicomChanges(span, { host, get }) : fhirChanges(part, span, { host, pages, get });
}
