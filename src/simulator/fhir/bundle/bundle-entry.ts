import type { Call } from '../call.js';
import { isNothing, isObject, parseBody } from '../content/json.js';
import { refuse } from '../content/outcome.js';
import { readResource } from '../content/resource-rules.js';

/** One request of a bundle. */
export type BundleEntry = {
  readonly fullUrl: string | undefined;
  readonly method: string;
  /** Relative to the service, without a slash at its beginning. */
  readonly path: string;
  readonly query: string;
  readonly resource: unknown;
  readonly headers: ReadonlyMap<string, string>;
};

const METHODS = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD'];
const HEADERS = { ifMatch: 'if-match', ifNoneExist: 'if-none-exist' } as const;

export function readEntry(entry: unknown, base: string): BundleEntry {
  const { fullUrl, request, resource } = isObject(entry) ? entry : {};
  if (!isObject(request) || isNothing(request))
    throw refuse(400, 'invalid', 'Request is empty: an entry needs a request with method and url.');
  const { method, url } = request;
  if (typeof url !== 'string' || url.trim() === '')
    throw refuse(400, 'invalid', 'Bundle.entry.request.url is required.');
  if (typeof method !== 'string' || !METHODS.includes(method)) {
    throw refuse(400, 'invalid', `Bundle.entry.request.method is not one of ${METHODS.join(', ')}.`);
  }
  const [path = '', ...rest] = relativeTo(base, url).split('?');
  const headers = new Map<string, string>();
  for (const [name, header] of Object.entries(HEADERS)) {
    const value = request[name];
    if (typeof value === 'string' && !isNothing(value)) headers.set(header, value);
  }
  return {
    fullUrl: typeof fullUrl === 'string' && !isNothing(fullUrl) ? fullUrl : undefined,
    method,
    path,
    query: rest.join('?'),
    resource: isNothing(resource) ? undefined : resource,
    headers,
  };
}

/** The call of an entry. The bundle's Prefer header holds for its entries. */
export function callOf(entry: BundleEntry, outer: Call, newId: string | undefined): Call {
  const { method, path, query, headers, resource } = entry;
  return {
    method,
    segments: segmentsOf(path),
    query: new URLSearchParams(query),
    header: (name) => (name === 'prefer' ? outer.header(name) : (headers.get(name) ?? null)),
    base: outer.base,
    body: {
      resource() {
        if (resource === undefined) throw refuse(400, 'invalid', `Bundle.entry.resource is required for ${method}.`);
        return readResource(resource);
      },
      bundle() {
        throw refuse(400, 'not-supported', 'A bundle cannot be an entry of a bundle. Post it by itself.');
      },
      jsonPatch: () => patchOf(resource),
      form: () => new URLSearchParams(),
    },
    ...(newId !== undefined && { newId }),
  };
}

/** The decoded segments of a path. Throws a FhirError for a path that cannot be decoded. */
export function segmentsOf(path: string): string[] {
  try {
    return path
      .replace(/\/$/, '')
      .split('/')
      .filter((segment, _at, all) => segment !== '' || all.length > 1)
      .map(decodeURIComponent);
  } catch {
    throw refuse(400, 'invalid', `The path '${path}' has a % that encodes nothing.`);
  }
}

/** The JSON Patch in an entry. A patch is no resource, so the entry holds it as a Binary. */
function patchOf(resource: unknown): unknown {
  const { resourceType, contentType, data } = isObject(resource) ? resource : {};
  if (resourceType === 'Parameters') throw fhirPathPatchIsNotSupported();
  const isPatch = resourceType === 'Binary' && String(contentType).split(';')[0] === 'application/json-patch+json';
  if (!isPatch || typeof data !== 'string') {
    throw refuse(
      400,
      'invalid',
      'PATCH in a bundle takes a Binary of application/json-patch+json, its data in base64.',
    );
  }
  return parseBody(Buffer.from(data, 'base64'));
}

export function fhirPathPatchIsNotSupported(): Error {
  return refuse(
    415,
    'not-supported',
    'FHIRPath Patch is not supported here. Send a JSON Patch, as application/json-patch+json.',
  );
}

function relativeTo(base: string, url: string): string {
  const isHere = url.startsWith(`${base}/`);
  const path = isHere
    ? url.slice(base.length)
    : URL.canParse(url)
      ? url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '')
      : url;
  return path.replace(/^\/+/, '');
}
