/** Returns the media type of a header such as content-type, in lower case, without parameters; '' if it is absent. */
export function mediaTypeOf(header: string | null): string {
  return (header?.split(';')[0] ?? '').trim().toLowerCase();
}

/**
 * Returns whether the body is declared as JSON. A request that changes data must declare it: a page of another site can
 * make a browser send text/plain or a form with the user's cookies, but application/json only if this server allows
 * that page.
 */
export function isJson({ headers }: { readonly headers: { get(name: string): string | null } }): boolean {
  return mediaTypeOf(headers.get('content-type')) === 'application/json';
}

/** The message for a request that does not declare JSON. */
export const JSON_NEEDED =
  "The header content-type must be application/json. With curl, add: -H 'content-type: application/json'";
