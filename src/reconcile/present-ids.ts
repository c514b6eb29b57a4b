import { readError } from '../clients/read-error.js';
import { fieldsOf, listOf, textOf } from '../workflow.js';
import { fewerEntries, type GetPage } from './get-page.js';

/** With ids of 64 characters, a URL of some 3 KB. */
export const RESOURCES_AT_ONCE = 50;

type Named = { readonly resourceType: string; readonly resourceId: string };

/**
 * Returns the ids of resources of one type that a FHIR service has. Only ids are requested. The answer can lack an id
 * that the service has, because only its first page is read.
 * @throws ReadError, RetryAfterError or NonRetriableError, each with a code
 */
export async function presentIds(resources: readonly Named[], get: GetPage): Promise<Set<string>> {
  const present = new Set<string>();
  let asked = resources.length;
  for (let at = 0; at < resources.length; ) {
    try {
      for (const id of idsIn(await get(pathOf(resources.slice(at, at + asked))))) present.add(id);
      at += asked;
    } catch (error) {
      const fewer = fewerEntries(error, asked);
      if (fewer === undefined) throw error;
      asked = fewer;
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
