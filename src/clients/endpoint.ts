import type { SendRequest } from '@azure/core-rest-pipeline';
import { NonRetriableError } from '../workflow.js';
import type { ServiceKind } from './read-error.js';

/** A service that may be read, and the way to it. The same object for every read of it. */
export type Endpoint = {
  readonly kind: ServiceKind;
  /** Paths go after it. */
  readonly url: string;
  /** What else its own links may begin with: behind a proxy, services tell the name that they know. */
  readonly alias: string;
  readonly audience: string;
  /** Adds a token where one belongs. */
  readonly send: SendRequest;
};

/**
 * A path of which each segment stays one, whatever it holds: ids come from outside.
 * @throws NonRetriableError where one cannot: a URL has no way to write it.
 */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

/** The path and query of `link` after the service's own base; undefined for a link to anywhere else. */
export function pathWithin({ url, alias }: Endpoint, link: string): string | undefined {
  return pathAfter(url, URL.parse(link, `${url}/`)) ?? pathAfter(alias, URL.parse(link));
}

function pathAfter(base: string, link: URL | null): string | undefined {
  const own = new URL(base);
  const root = own.pathname.replace(/\/$/, '');
  if (link?.origin !== own.origin || link.username + link.password !== '') return undefined;
  return link.pathname.startsWith(`${root}/`) ? link.pathname.slice(root.length) + link.search : undefined;
}

/** `.` and `..` are taken for steps, percent-encoded too; half a surrogate pair has no encoding. */
function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..' || !segment.isWellFormed()) {
    throw new NonRetriableError('An id is empty, or one that no URL can hold; nothing was asked.', {
      code: 'id-not-addressable',
    });
  }
  return encodeURIComponent(segment);
}
