import { ReadError } from '../clients/read-error.js';
import type { RawEvent } from '../events/accept.js';
import { GRACE_MS } from './compare.js';
import { changesIn } from './fhir-history.js';
import { foundEvent, removedEvent } from './found-event.js';
import type { GetPage } from './get-page.js';
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
  const newest = history === undefined ? undefined : newestOf(changesIn(history, host).found);
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

function newestOf(changes: readonly FoundFhirChange[]): FoundFhirChange | undefined {
  return changes.toSorted((one, other) => other.version - one.version)[0];
}
