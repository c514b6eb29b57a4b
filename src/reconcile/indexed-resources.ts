import { pagesFrom } from '../storage/pages.js';
import type { Stored, TableStore } from '../storage/table-store.js';
import { GRACE_MS } from './compare.js';
import { RESOURCES_AT_ONCE } from './deletion-of.js';

/** A resource in the table of resource-index. `time` is that of its newest event, '' if the event had none. */
export type Indexed = {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly version: number;
  readonly time: string;
  readonly stored: Stored;
};

/** A page of the table. Each chunk holds resources of one type, as many as one search can compare. */
export type IndexedPage = {
  readonly chunks: readonly (readonly Indexed[])[];
  /** Resources that were written in the last 10 minutes. */
  readonly recent: number;
  /** Rows whose type or id no FHIR service accepts. */
  readonly unreadable: number;
  /** Undefined on the last page. */
  readonly next: Place | undefined;
};

/**
 * The beginning of a page, and its maximum of rows. `page` holds the key of a row, which is a digest of the resource's name:
 * a place may be stored, but is in no log and in no answer.
 */
export type Place = { readonly page?: string; readonly limit: number };

type Deps = {
  readonly tables: Pick<TableStore, 'query'>;
  /** Repeats a call to storage that fails. */
  readonly retry: <T>(act: () => Promise<T>) => Promise<T>;
};

/** The table of the workflow resource-index. */
const TABLE = 'resources';
const PAGE = 1000;
/** The place of the first page. */
export const BEGINNING: Place = { limit: PAGE };
const TYPE = /^[A-Z][A-Za-z]{0,63}$/;
/** FHIR's own rule, without `.` and `..`, which a URL takes for steps. */
const ID = /^(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}$/;

/** Returns the place of a page that a run could not finish: fewer rows take less time, and later pages grow again. */
export function withFewerRows({ limit, ...place }: Place): Place {
  return { ...place, limit: Math.max(1, Math.floor(limit / 4)) };
}

/** Reads the resources of a service that are not deleted, page by page. */
export async function* indexedPages(
  { host, types }: { readonly host: string; readonly types?: readonly string[] | undefined },
  from: Place,
  { tables, retry }: Deps,
): AsyncGenerator<IndexedPage> {
  const anyOf = [{ property: 'host', is: 'eq', value: host } as const];
  let { limit } = from;
  const read = (at: { page?: string }) => retry(() => tables.query(TABLE, { anyOf, limit, ...at }));
  for await (const { answer } of pagesFrom(from.page, read)) {
    const { rows, now, next: page } = answer;
    const resources = rows.flatMap((stored) => indexedIn(stored, types) ?? []);
    const readable = resources.filter(({ resourceType, resourceId }) => TYPE.test(resourceType) && ID.test(resourceId));
    const old = readable.filter((resource) => isOld(resource, now));
    const [unreadable, recent] = [resources.length - readable.length, readable.length - old.length];
    limit = Math.min(PAGE, limit * 2);
    yield { chunks: chunksOf(old), recent, unreadable, next: page === undefined ? undefined : { page, limit } };
  }
}

/** Returns whether the row of a resource is still as it was read. */
export async function isUnchanged({ stored }: Indexed, tables: Pick<TableStore, 'read'>): Promise<boolean> {
  const { stored: current } = await tables.read(TABLE, stored.partition, stored.key);
  return current?.etag === stored.etag;
}

function indexedIn(stored: Stored, types: readonly string[] | undefined): Indexed | undefined {
  const { service, change, resourceType, resourceId, version, time = '' } = stored.row;
  if (service !== 'fhir' || change === 'deleted') return undefined;
  if (types && !types.includes(String(resourceType))) return undefined;
  return {
    resourceType: String(resourceType),
    resourceId: String(resourceId),
    version: Number(version),
    time: String(time),
    stored,
  };
}

/** Returns whether neither the resource nor its row has changed in the last 10 minutes. */
function isOld({ time, stored }: Indexed, now: Date): boolean {
  const before = now.getTime() - GRACE_MS;
  return stored.modifiedAt.getTime() < before && !(Date.parse(time) >= before);
}

function chunksOf(resources: readonly Indexed[]): Indexed[][] {
  return [...Map.groupBy(resources, ({ resourceType }) => resourceType).values()].flatMap((ofType) =>
    Array.from({ length: Math.ceil(ofType.length / RESOURCES_AT_ONCE) }, (_, n) =>
      ofType.slice(n * RESOURCES_AT_ONCE, (n + 1) * RESOURCES_AT_ONCE),
    ),
  );
}
