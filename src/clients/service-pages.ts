import { parseJson } from './body.js';
import { type Endpoint, nextPathOf } from './endpoint.js';
import type { GetWithRetry } from './get-with-retry.js';
import { readError, type ServiceKind } from './read-error.js';

/** Reads the pages of a service's history or change feed, which belong to no event. */
export type ServicePages = {
  readonly service: ServiceKind;
  /**
   * Returns the JSON at a path and query after the service's URL, with the tries, limits and errors of all reads.
   * @throws ReadError, also for a path that the service does not have (404); RetryAfterError; NonRetriableError
   */
  get(path: string): Promise<unknown>;
  /**
   * Returns path and query of the link to the next page.
   * @throws ReadError for a link to another host or path: each request carries a token.
   */
  nextPathOf(link: string): string;
};

const ACCEPT = { fhir: 'application/fhir+json', dicom: 'application/json' };

/** Returns the reader of the pages of one service. `signal` ends all its reads. */
export function createServicePages(
  endpoint: Endpoint,
  { getWithRetry, signal }: { getWithRetry: GetWithRetry; signal: AbortSignal },
): ServicePages {
  const { kind } = endpoint;
  return {
    service: kind,
    async get(path) {
      const text = await getWithRetry.text(endpoint, { path, accept: ACCEPT[kind], signal });
      if (text !== undefined) return parseJson(text, kind);
      throw readError(kind, 'not-found', 'has nothing at this path (404): its URL may be wrong.');
    },
    nextPathOf: (link) => nextPathOf(endpoint, link),
  };
}
