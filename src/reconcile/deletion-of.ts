import { ReadError, readError } from '../clients/read-error.js';
import type { RawEvent } from '../events/accept.js';
import { fieldsOf, listOf, textOf } from '../workflow.js';
import { GRACE_MS } from './compare.js';
import { changesIn } from './fhir-history.js';
import { foundEvent, removedEvent } from './found-event.js';
import { fewerEntries, type GetPage } from './get-page.js';
import type { Indexed } from './indexed-resources.js';
import type { FoundFhirChange } from './known-changes.js';

/** `askedAt`: a time before the read of the service, so that the Created of a recreated resource is later. */
type Deletion = { readonly host: string; readonly source: string; readonly askedAt: Date };

/**
 * Returns the Deleted event of a resource that its service no longer has. After a soft delete, the event is made from the
 * deletion in history, so that the ledger recognises it as the service's own event. A hard delete leaves no history.
 */
export async function deletionOf(
  { resourceType, resourceId, version, time }: Indexed,
  { host, source, askedAt }: Deletion,
  get: GetPage,
): Promise<RawEvent | 'present' | 'recent'> {
  const path = `/${resourceType}/${encodeURIComponent(resourceId)}`;
  if ((await getIfThere(path, get)) !== undefined) return 'present';
  const history = await getIfThere(`${path}/_history?_sort=-_lastUpdated&_count=1`, get);
  const { found } = changesIn(history, host);
  const [newest] = found.toSorted((one, other) => other.version - one.version);
  if (newest?.change === 'deleted') {
    return Date.parse(newest.time) > askedAt.getTime() - GRACE_MS ? 'recent' : foundEvent(newest, source);
  }
  if (newest) return 'present'; // created again since the first answer
  const change: FoundFhirChange = {
    service: 'fhir',
    host,
    change: 'deleted',
    resourceType,
    resourceId,
    version: version + 1,
    time,
  };
  return removedEvent(change, source, askedAt);
}

/** Returns undefined for 404 and 410. */
async function getIfThere(path: string, get: GetPage): Promise<unknown> {
  try {
    return await get(path);
  } catch (error) {
    if (error instanceof ReadError && error.code === 'fhir-not-found') return undefined;
    throw error;
  }
}

/** The URL of a search for as many ids of 64 characters has some 3 KB. */
export const RESOURCES_AT_ONCE = 50;

type Named = { readonly resourceType: string; readonly resourceId: string };

/**
 * Returns the ids of resources of one type that a FHIR service has. Only ids are requested. The answer can lack an id
 * that the service has, because only its first page is read.
 * @throws ReadError, RetryAfterError or NonRetriableError, each with a code
 */
export async function presentIds(resources: readonly Named[], get: GetPage): Promise<Set<string>> {
  const present = new Set<string>();
  let atOnce = resources.length;
  for (let at = 0; at < resources.length; ) {
    try {
      for (const id of idsIn(await get(pathOf(resources.slice(at, at + atOnce))))) present.add(id);
      at += atOnce;
    } catch (error) {
      const fewer = fewerEntries(error, atOnce);
      if (fewer === undefined) throw error;
      atOnce = fewer;
    }
  }
  return present;
}

function pathOf(resources: readonly Named[]): string {
  const ids = resources.map(({ resourceId }) => resourceId).join(',');
  const query = new URLSearchParams({ _id: ids, _elements: 'id', _count: String(resources.length) });
  return `/${resources[0]?.resourceType}?${query}`;
}

function idsIn(body: unknown): string[] {
  const { resourceType, entry } = fieldsOf(body);
  if (resourceType !== 'Bundle') throw readError('fhir', 'other-resource', 'answered with JSON that is not a Bundle.');
  return listOf(entry).flatMap(({ resource }) => textOf(fieldsOf(resource).id) ?? []);
}
