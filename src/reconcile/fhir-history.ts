import { readError } from '../clients/read-error.js';
import type { ServicePages } from '../clients/service-pages.js';
import { digest } from '../digest.js';
import { toIsoUtc } from '../events/time.js';
import { type Fields, fieldsOf, listOf, textOf } from '../workflow.js';
import { byTime, endlessPages, type FoundPage, type Span, SpanReading } from './found-page.js';
import { fewerEntries, type GetPage } from './get-page.js';
import type { FoundFhirChange } from './known-changes.js';

/**
 * The part of a FHIR service to read.
 *   history   every version, of all types or of one
 *   current   the newest version of each resource of a type that is not deleted; enough for `ordering: 'latest'`
 */
export type FhirPart =
  | { readonly kind: 'history'; readonly type?: string }
  | { readonly kind: 'current'; readonly type: string };

type Deps = { readonly host: string; readonly pages: Pick<ServicePages, 'nextPathOf'>; readonly get: GetPage };

/** The largest page of microsoft/fhir-server. A service with a lower limit answers with fewer entries. */
const MAX_ENTRIES = 1000;
const VERSION = /^\d{1,16}$/;
const ETAG = /^(?:W\/)?"(\d{1,16})"$/;
/** Matches `Patient/1`, also within a URL and with a version after it. */
const PLACE = /(?:^|\/)([A-Z][A-Za-z]*)\/([^/?#]+)(?:\/_history\/[^/?#]+)?$/;

/**
 * Reads the changes of a span, oldest first, page by page. Only type, id, version, time and method of an entry are
 * read, and no other part of a page is kept.
 * @throws ReadError, RetryAfterError or NonRetriableError, each with a code
 */
export async function* fhirChanges(part: FhirPart, span: Span, deps: Deps): AsyncGenerator<FoundPage> {
  const { get, pages, host } = deps;
  const reading = new SpanReading('fhir', span);
  let count = MAX_ENTRIES;
  const followed = new Set<string>();
  let path: string | undefined = firstPath(part, span, count);
  let isFirst = true;
  while (path !== undefined) {
    let bundle: Fields;
    try {
      bundle = bundleIn(await get(path));
    } catch (error) {
      const fewer = fewerEntries(error, count);
      if (fewer === undefined) throw error;
      count = fewer;
      followed.clear();
      path = firstPath(part, { ...span, since: reading.upTo }, count);
      continue;
    }
    const next: string | undefined = nextLinkIn(bundle);
    const { found, unreadable } = changesIn(bundle, host);
    const before = reading.upTo;
    const { changes, isPast } = reading.take(isFirst && next === undefined ? byTime(found) : found);
    if (reading.upTo !== before) followed.clear();
    const isLast = next === undefined || isPast;
    yield { changes, unreadable, upTo: isLast ? span.before : reading.upTo };
    path = isLast ? undefined : follow(pages.nextPathOf(next), followed);
    isFirst = false;
  }
}

/** Returns path and query of the first page. */
function firstPath(part: FhirPart, { since, before }: Span, count: number): string {
  const query = new URLSearchParams({ _sort: '_lastUpdated', _count: String(count) });
  if (part.kind === 'history') {
    query.append('_since', since);
    query.append('_before', before);
    return `${part.type === undefined ? '' : `/${encodeURIComponent(part.type)}`}/_history?${query}`;
  }
  query.append('_lastUpdated', `ge${since}`);
  query.append('_lastUpdated', `lt${before}`);
  return `/${encodeURIComponent(part.type)}?${query}`;
}

/** Returns `path`, and adds it to those that were followed since time last advanced: a circle of pages cannot advance time. */
function follow(path: string, followed: Set<string>): string {
  const name = digest(path);
  if (followed.has(name)) throw endlessPages('fhir');
  followed.add(name);
  return path;
}

function bundleIn(body: unknown): Fields {
  const bundle = fieldsOf(body);
  if (bundle.resourceType === 'Bundle') return bundle;
  throw readError('fhir', 'other-resource', 'answered with JSON that is not a Bundle.');
}

function nextLinkIn({ link }: Fields): string | undefined {
  const next = listOf(link).find(({ relation }) => relation === 'next');
  return next && textOf(next.url);
}

/** Returns the changes that a page names, and the number of its entries that name none. */
export function changesIn(bundle: unknown, host: string): { found: FoundFhirChange[]; unreadable: number } {
  const found: FoundFhirChange[] = [];
  let unreadable = 0;
  const { entry } = fieldsOf(bundle);
  for (const one of Array.isArray(entry) ? entry.map(fieldsOf) : []) {
    const mode = fieldsOf(one.search).mode;
    if (mode !== undefined && mode !== 'match') continue; // a warning about the search, for example
    const change = changeIn(one, host);
    if (change) found.push(change);
    else unreadable += 1;
  }
  return { found, unreadable };
}

/** Returns the change that an entry names. The entry of a deletion may have no resource, but its other parts name it. */
function changeIn(entry: Fields, host: string): FoundFhirChange | undefined {
  const resource = fieldsOf(entry.resource);
  const meta = fieldsOf(resource.meta);
  const request = fieldsOf(entry.request);
  const response = fieldsOf(entry.response);
  const [, typeInUrl, idInUrl] = PLACE.exec(textOf(request.url) ?? '') ?? PLACE.exec(textOf(entry.fullUrl) ?? '') ?? [];
  const resourceType = textOf(resource.resourceType) ?? typeInUrl;
  const resourceId = textOf(resource.id) ?? idInUrl;
  const version = versionIn(meta.versionId) ?? versionIn(ETAG.exec(textOf(response.etag) ?? '')?.[1]);
  const time = toIsoUtc(textOf(meta.lastUpdated) ?? textOf(response.lastModified) ?? '');
  if (!resourceType || !resourceId || version === undefined || time === undefined) return undefined;
  const change = request.method === 'DELETE' ? 'deleted' : version === 1 ? 'created' : 'updated';
  return { service: 'fhir', host, change, resourceType, resourceId, version, time };
}

function versionIn(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : textOf(value);
  const version = text !== undefined && VERSION.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(version) ? version : undefined;
}
