import type { ReadersDeps } from '../../src/clients/readers.js';
import { dicomChanges } from '../../src/reconcile/dicom-feed.js';
import { type FhirPart, fhirChanges } from '../../src/reconcile/fhir-history.js';
import type { FoundPage, Span } from '../../src/reconcile/found-page.js';
import { createGetPage } from '../../src/reconcile/get-page.js';
import { DICOM_HOST, FHIR_HOST, startReaders, startService } from '../clients/stand-in.js';
import { SPAN } from './services.js';

type Answer = Parameters<typeof startService>[0];

/** Reads the pages of a service that answers so, through the app's own clients; waits are over at once. */
export async function openPages(
  kind: 'fhir' | 'dicom',
  answers: readonly Answer[],
  { part = { kind: 'history' }, span = SPAN, ...deps }: { part?: FhirPart; span?: Span } & Partial<ReadersDeps> = {},
) {
  const service = await startService(...answers);
  const readers = startReaders({ url: service.url, ...deps });
  const controller = new AbortController();
  const { signal } = controller;
  const host = kind === 'fhir' ? FHIR_HOST : DICOM_HOST;
  const pages = readers.readers.pagesOf({ service: kind, host }, signal);
  const waits: number[] = [];
  // Waits are over at once, also those that are longer than a try.
  const after = (ms: number, run: () => void) => {
    waits.push(ms);
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  };
  const get = createGetPage(pages, { clock: { ...readers.clock, after }, signal });
  const open = () =>
    kind === 'fhir' ? fhirChanges(part, span, { host, pages, get }) : dicomChanges(span, { host, get });
  return {
    service,
    readers,
    waits,
    open,
    abort: () => controller.abort(),
    /** Reads until the end or the first error. */
    async all(): Promise<{ pages: FoundPage[]; error?: Error & { code?: string } }> {
      const found: FoundPage[] = [];
      try {
        for await (const page of open()) found.push(page);
        return { pages: found };
      } catch (error) {
        return { pages: found, error: error as Error };
      }
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** Returns all changes of pages. */
export function changesOf(pages: readonly FoundPage[]) {
  return pages.flatMap(({ changes }) => changes);
}
