import type { SendRequest } from '@azure/core-rest-pipeline';
import { NonRetriableError } from '../errors.js';
import { readError, type ServiceKind } from './read-error.js';

/** A service that may be read. All reads of a service use the same object. */
export type Endpoint = {
  readonly kind: ServiceKind;
  /** The base of all paths. */
  readonly url: string;
  /** A second base of the service's links: behind a proxy, a service uses its own host name in links. */
  readonly alias: string;
  readonly audience: string;
  /** Sends a request, with a token if the service needs one. */
  readonly send: SendRequest;
};

/**
 * Returns a path with one segment for each argument, whatever the argument contains: ids come from outside.
 * @throws NonRetriableError if a URL cannot hold a segment.
 */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

/**
 * Returns path and query of the link to the next page, relative to the service.
 * @throws ReadError for a link to another host or path: each request carries a token.
 */
export function nextPathOf({ kind, url, alias }: Endpoint, link: string): string {
  const path = pathAfter(url, URL.parse(link, `${url}/`)) ?? pathAfter(alias, URL.parse(link));
  if (path !== undefined) return path;
  throw readError(kind, 'foreign-link', 'names a next page on another host or path; the page was not requested.');
}

/** Returns path and query of `link` after `base`; undefined for a link to another host or path. */
function pathAfter(base: string, link: URL | null): string | undefined {
  const own = new URL(base);
  const root = own.pathname.replace(/\/$/, '');
  if (link?.origin !== own.origin || link.username + link.password !== '') return undefined;
  return link.pathname.startsWith(`${root}/`) ? link.pathname.slice(root.length) + link.search : undefined;
}

/** Refuses `.` and `..`, which URLs treat as steps even if encoded, and half a surrogate pair, which has no encoding. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..' || !segment.isWellFormed()) {
    throw new NonRetriableError('An id is empty, or a URL cannot hold it. No request was sent.', {
      code: 'id-not-addressable',
    });
  }
  return encodeURIComponent(segment);
}
