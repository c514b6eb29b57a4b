import { digest } from '../digest.js';
import { insertOrReplace } from '../storage/commit-creating.js';
import { queryPages } from '../storage/pages.js';
import { findRow } from '../storage/read-rows.js';
import type { Row, Stored, TableStore } from '../storage/table-store.js';
import { beforeGrace, type Counts, NO_COUNTS } from './compare.js';
import { NO_REMOVED, type RemovedCounts, type RemovedSoFar } from './find-removed.js';
import { commitRow, RECONCILE_TABLE } from './reconcile-table.js';

/** A request over HTTP to compare services. Times are ISO 8601, UTC, with milliseconds; absent fields mean all. */
export type NewRequest = {
  /** True for a search for removed resources, which has no times and no workflow. */
  readonly isFindRemoved: boolean;
  /** '' with `isFindRemoved`. */
  readonly since: string;
  readonly until?: string | undefined;
  /** A host name. */
  readonly service?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly workflow?: string | undefined;
  /** True if rows of `waiting` are lost: see `createLedgerChanges`. */
  readonly areRowsLost: boolean;
  readonly isDryRun: boolean;
};

const STATES = ['waiting', 'running', 'done', 'failed'] as const;

/** The position of the comparison of a part of a service, and the counts so far. */
export type PartSoFar = { readonly upTo: string; readonly counts: Readonly<Counts> };

/** A request and its state. */
export type StoredRequest = NewRequest & {
  readonly id: string;
  /** Decided when the request is made, if the request names no time; '' with `isFindRemoved`. */
  readonly until: string;
  readonly state: (typeof STATES)[number];
  readonly askedAt: string;
  /** '' until the request is done or failed. */
  readonly endedAt: string;
  readonly message: string;
  readonly parts: Readonly<Record<string, PartSoFar>>;
  /** With `isFindRemoved`, by host. */
  readonly removed: Readonly<Record<string, RemovedSoFar>>;
};

/** The partition of requests in the table `reconcile`. */
export const REQUESTS_PARTITION = 'asked';
const PAGE = 1000;
const MAX_TRIES = 5;
const NEW = { state: 'waiting', endedAt: '', message: '', removed: {} } as const;

/**
 * Writes a request, and returns its id. The id is a digest of the request, so that a repeated request is the same row.
 *
 *   process dies before the write    no request exists; the caller gets no answer and repeats the request
 *   process dies after the write     the request exists; the repeated request gets the same id
 *   two processes at once            storage refuses one write: that process reads the row of the other
 *   the request is open              nothing is written
 *   the request has ended            the request starts again. A failed comparison continues from its positions, which
 *                                    are still true. A failed search starts at the beginning, because a resource that it
 *                                    found may be gone by now
 */
export async function storeRequest(
  request: NewRequest,
  { tables, now }: { tables: TableStore; now: Date },
): Promise<string> {
  const id = idOf(request);
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const { stored } = await findRow(tables, [RECONCILE_TABLE, REQUESTS_PARTITION], id);
    const before = stored && decodeRequest(stored);
    if (before && isOpen(before)) return id;
    const parts = before?.state === 'failed' ? before.parts : {};
    const until = request.isFindRemoved ? '' : beforeGrace(request.until ?? now.toISOString(), now);
    const row = encodeRequest({ ...request, ...NEW, id, until, askedAt: now.toISOString(), parts });
    const answer = await commitRow(tables, REQUESTS_PARTITION, insertOrReplace(id, row, stored?.etag));
    if (answer.kind === 'done') return id;
  }
  return id; // other processes write this row, so the request exists
}

/** Returns all requests, newest first. */
export async function listRequests(tables: TableStore): Promise<(StoredRequest & { readonly etag: string })[]> {
  const found: (StoredRequest & { etag: string })[] = [];
  const query = { partition: REQUESTS_PARTITION, limit: PAGE };
  for await (const { rows } of queryPages(tables, RECONCILE_TABLE, query))
    found.push(...rows.map((one) => ({ ...decodeRequest(one), etag: one.etag })));
  return found.sort((one, other) => (one.askedAt < other.askedAt ? 1 : -1));
}

/** Returns the request with this id; undefined if it is absent. */
export async function findRequest(id: string, tables: TableStore): Promise<StoredRequest | undefined> {
  return (await listRequests(tables)).find((one) => one.id === id);
}

/** Returns whether the request still needs work by the timer. */
export function isOpen({ state }: Pick<StoredRequest, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}

/** Returns the sums over all parts of a comparison. */
export function countsOf(parts: readonly Pick<PartSoFar, 'counts'>[]): Counts {
  return sumOf(NO_COUNTS, parts);
}

/** Returns the position and the counts of each part of a request. */
export function partsOfRequest({ parts, removed }: StoredRequest) {
  const compared = Object.entries(parts).map(([name, { upTo, counts }]) => {
    const [host = '', part = ''] = name.split(' ');
    return { host, part, upTo, counts: { ...counts } };
  });
  const searched = Object.entries(removed).map(([host, { counts }]) => {
    return { host, part: null, upTo: null, counts: { ...counts } };
  });
  return [...compared, ...searched];
}

/** Returns the sums over all parts of a request. */
export function countsOfRequest({ isFindRemoved, parts, removed }: StoredRequest): Counts | RemovedCounts {
  return isFindRemoved ? sumOf(NO_REMOVED, Object.values(removed)) : countsOf(Object.values(parts));
}

function sumOf<C extends Readonly<Record<string, number>>>(none: C, parts: readonly { readonly counts: C }[]): C {
  const names = Object.keys(none);
  return Object.fromEntries(
    names.map((name) => [name, parts.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0)]),
  ) as C;
}

function idOf({ since, until, service, types, workflow, areRowsLost, isDryRun }: NewRequest): string {
  const sorted = types ? [...new Set(types)].sort() : null;
  const all = [since, until ?? null, service ?? null, sorted, workflow ?? null, isDryRun];
  return digest(JSON.stringify(areRowsLost ? [...all, 'rows-lost'] : all));
}

/** Returns the row of a request. An absent text is stored as ''. */
export function encodeRequest(request: StoredRequest): Row {
  const { id: _, service = '', types = [], workflow = '', parts, removed, ...rest } = request;
  const texts = { types: types.join(','), parts: JSON.stringify(parts), removed: JSON.stringify(removed) };
  return { ...rest, service, workflow, ...texts };
}

/** Returns the request that a row holds. */
export function decodeRequest({ key, row }: Pick<Stored, 'key' | 'row'>): StoredRequest {
  const text = (name: string) => String(row[name] ?? '');
  return {
    id: key,
    isFindRemoved: row.isFindRemoved === true,
    since: text('since'),
    until: text('until'),
    service: text('service') || undefined,
    types: text('types') === '' ? undefined : text('types').split(','),
    workflow: text('workflow') || undefined,
    areRowsLost: row.areRowsLost === true,
    isDryRun: row.isDryRun === true,
    state: STATES.find((state) => state === row.state) ?? 'failed',
    askedAt: text('askedAt'),
    endedAt: text('endedAt'),
    message: text('message'),
    parts: JSON.parse(text('parts') || '{}'),
    removed: JSON.parse(text('removed') || '{}'),
  };
}
