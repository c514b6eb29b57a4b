import type { Readers, ServiceName } from '../clients/readers.js';
import type { Clock } from '../clock.js';
import { dicomChanges } from './dicom-feed.js';
import { fhirChanges } from './fhir-history.js';
import type { FoundPage, Span } from './found-page.js';
import { createGetPage } from './get-page.js';
import type { Part } from './plan.js';

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
