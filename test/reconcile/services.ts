import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Span } from '../../src/reconcile/found-page.js';

/** A version of a resource, as a FHIR service keeps it. */
export type Version = { type: string; id: string; version: number; time: string; method?: string };
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** The hour in which the changes of these tests are made. */
export const SPAN: Span = { since: '2026-01-01T10:00:00.000Z', before: '2026-01-01T11:00:00.000Z' };

/** Returns the time so many milliseconds after the beginning of `SPAN`. */
export function timeOf(ms: number): string {
  return new Date(Date.parse(SPAN.since) + ms).toISOString();
}

/** Returns `count` versions of Patients, one every millisecond. */
export function versionsOf(count: number): Version[] {
  return Array.from({ length: count }, (_, at) => ({ type: 'Patient', id: `p${at}`, version: 1, time: timeOf(at) }));
}

export function entryOf({ type, id, version, time, method }: Version) {
  const meta = { versionId: String(version), lastUpdated: time.replace('Z', '+00:00') };
  return {
    fullUrl: `https://fhir.example/${type}/${id}/_history/${version}`,
    resource: { resourceType: type, id, meta, name: [{ family: 'M4RK3R' }] },
    request: { method: method ?? (version === 1 ? 'POST' : 'PUT'), url: `${type}/${id}` },
    response: { etag: `W/"${version}"`, lastModified: time },
  };
}

/** Returns a page of a FHIR history or search. */
export function bundleOf(entries: readonly unknown[], next?: string) {
  const link = next === undefined ? [] : [{ relation: 'next', url: next }];
  return { resourceType: 'Bundle', type: 'history', link, entry: entries };
}

/**
 * Answers `_history` of the whole service and of a type, and `Type?_sort=_lastUpdated`, from `versions`, which are in the
 * order of their times. `maxPage`: the service's own limit for `_count`.
 */
export function fhirHistory(versions: readonly Version[], { maxPage = 1000 }: { maxPage?: number } = {}): Answer {
  return (request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const { searchParams: query, pathname } = url;
    const isHistory = pathname.endsWith('/_history');
    const type = pathname.replace('/_history', '').slice(1);
    const newest = new Map(versions.map((one) => [`${one.type}/${one.id}`, one]));
    const all = isHistory ? versions : [...newest.values()].filter(({ method }) => method !== 'DELETE');
    const updated = query.getAll('_lastUpdated').map((text) => text.slice(2));
    const since = query.get('_since') ?? updated[0] ?? '';
    const before = query.get('_before') ?? updated[1] ?? '~';
    const matching = all
      .filter((one) => (type === '' || one.type === type) && one.time >= since && one.time < before)
      .sort((one, other) => (one.time < other.time ? -1 : 1));
    const from = Number(query.get('ct') ?? 0);
    const to = from + Math.min(maxPage, Number(query.get('_count') ?? 10));
    url.searchParams.set('ct', String(to));
    const page = matching.slice(from, to).map(entryOf);
    answer(response, bundleOf(page, to < matching.length ? url.href : undefined));
  };
}

/**
 * Answers a read, a search by `_id`, and the history of one resource from `versions`, in which a resource that is
 * hard-deleted does not occur. `maxPage`: the service's own limit for `_count`.
 */
export function fhirResources(versions: readonly Version[], { maxPage = 1000 }: { maxPage?: number } = {}): Answer {
  return (request, response) => {
    const { searchParams: query, pathname } = new URL(request.url ?? '', 'http://localhost');
    const [, type = '', id = '', isHistory] = pathname.split('/').map(decodeURIComponent);
    const newest = new Map(versions.filter((one) => one.type === type).map((one) => [one.id, one]));
    const found = newest.get(id);
    if (id === '') {
      const named = (query.get('_id') ?? '').split(',').flatMap((each) => newest.get(each) ?? []);
      const present = named.filter(({ method }) => method !== 'DELETE');
      const page = present.slice(0, Math.min(maxPage, Number(query.get('_count') ?? 10)));
      answer(response, bundleOf(page.map((one) => ({ resource: { resourceType: type, id: one.id } }))));
    } else if (found && (isHistory || found.method !== 'DELETE')) {
      answer(response, isHistory ? bundleOf([entryOf(found)]) : entryOf(found).resource);
    } else response.writeHead(found ? 410 : 404).end('{"resourceType":"OperationOutcome"}');
  };
}

/** An entry of a change feed. */
export type FeedEntry = { sequence: number; action: string; timestamp: string };

export function feedOf(count: number): FeedEntry[] {
  return Array.from({ length: count }, (_, at) => ({ sequence: at + 1, action: 'create', timestamp: timeOf(at) }));
}

/** Answers `changefeed` of version 2 from `entries`. `maxPage`: the service's own limit. */
export function dicomFeed(entries: readonly FeedEntry[], { maxPage = 200 }: { maxPage?: number } = {}): Answer {
  return (request, response) => {
    const { searchParams: query } = new URL(request.url ?? '', 'http://localhost');
    const [since = '', before = ''] = [query.get('startTime') ?? '', query.get('endTime') ?? ''];
    const offset = Number(query.get('offset'));
    const limit = Math.min(maxPage, Number(query.get('limit')));
    const page = entries
      .filter(({ timestamp }) => timestamp >= since && timestamp < before)
      .slice(offset, offset + limit)
      .map((entry) => ({ ...uids(entry.sequence), ...entry, state: 'current' }));
    answer(response, page);
  };
}

function uids(sequence: number) {
  return {
    partitionName: 'Microsoft.Default',
    studyInstanceUid: '1.2',
    seriesInstanceUid: '1.2.3',
    sopInstanceUid: `1.2.3.${sequence}`,
  };
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
