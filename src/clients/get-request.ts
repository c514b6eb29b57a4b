import type { Endpoint } from './endpoint.js';
import { readError } from './read-error.js';

/** A GET request. `path`: the path and query after the service's URL, encoded. */
export type GetRequest = {
  readonly path: string;
  readonly accept: string;
  readonly signal: AbortSignal;
  /** The resource that the request reads. Such reads can share a batch. */
  readonly place?: ResourcePlace | undefined;
};

/** The place of a FHIR resource in its service. Without a version: the current one. */
export type ResourcePlace = { readonly type: string; readonly id: string; readonly version?: string };

/** Returns the error of a read that its caller has aborted. */
export function aborted({ kind }: Endpoint): Error {
  return readError(kind, 'aborted', 'was not read: the caller aborted.');
}
