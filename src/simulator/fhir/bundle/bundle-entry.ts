import type { Call } from '../call.js';
import { isNothing, isObject, parseBody } from '../content/json.js';
import { invalid, refuse } from '../content/outcome.js';
import { readResource } from '../content/resource-rules.js';

/** One request of a bundle. */
export type BundleEntry = Readonly<ReturnType<typeof readEntry>>;

/** The methods in FHIR's order, so that a bundle can delete a resource and create its successor. */
export const METHODS = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD'];
const HEADERS = { ifMatch: 'if-match', ifNoneExist: 'if-none-exist' } as const;

/** Reads one entry. Throws a FhirError if its method or URL is missing or wrong. */
export function readEntry(entry: unknown, base: string) {
  const { fullUrl, request, resource } = isObject(entry) ? entry : {};
  if (!isObject(request) || isNothing(request)) {
    throw invalid('Request is empty: an entry needs a request with method and url.');
  }
  const { method, url } = request;
  if (typeof url !== 'string' || url.trim() === '') throw invalid('Bundle.entry.request.url is required.');
  if (typeof method !== 'string' || !METHODS.includes(method)) {
    throw invalid(`Bundle.entry.request.method is not one of ${METHODS.join(', ')}.`);
  }
  const [path = '', ...query] = relativeTo(base, url).split('?');
  const headers = Object.entries(HEADERS).flatMap(([name, header]): [string, string][] => {
    const value = textOf(request[name]);
    return value === undefined ? [] : [[header, value]];
  });
  return {
    fullUrl: textOf(fullUrl),
    method,
    /** Relative to the service, without a slash at its beginning. */
    path,
    query: query.join('?'),
    resource: isNothing(resource) ? undefined : resource,
    headers: new Map(headers),
  };
}

/** Returns the call of an entry. The bundle's Prefer header holds for its entries. */
export function callOf(entry: BundleEntry, { base, prefer }: Call, newId?: string): Call {
  const { method, path, query, headers, resource } = entry;
  return {
    method,
    segments: segmentsOf(path),
    query: new URLSearchParams(query),
    header: (name) => headers.get(name) ?? null,
    prefer,
    base,
    body: {
      resource() {
        if (resource === undefined) throw invalid(`Bundle.entry.resource is required for ${method}.`);
        return readResource(resource);
      },
      bundle() {
        throw refuse(400, 'not-supported', 'A bundle cannot be an entry of a bundle. Post it by itself.');
      },
      jsonPatch: () => patchOf(resource),
      form: () => new URLSearchParams(),
    },
    newId,
  };
}

/** Returns the decoded segments of a path. Throws a FhirError for a path that cannot be decoded. */
export function segmentsOf(path: string): string[] {
  try {
    return path
      .replace(/\/$/, '')
      .split('/')
      .filter((segment, _at, all) => segment !== '' || all.length > 1)
      .map(decodeURIComponent);
  } catch {
    throw invalid(`The path '${path}' has a % that encodes nothing.`);
  }
}

/** Returns the JSON Patch in an entry. A patch is no resource, so the entry holds it as a Binary. */
function patchOf(resource: unknown): unknown {
  const { resourceType, contentType, data } = isObject(resource) ? resource : {};
  if (resourceType === 'Parameters') throw fhirPathPatchIsNotSupported();
  const isPatch = resourceType === 'Binary' && String(contentType).split(';')[0] === 'application/json-patch+json';
  if (!isPatch || typeof data !== 'string') {
    throw invalid('PATCH in a bundle takes a Binary of application/json-patch+json, its data in base64.');
  }
  return parseBody(Buffer.from(data, 'base64'));
}

/** Returns the refusal (415) of a patch that is a Parameters resource. */
export function fhirPathPatchIsNotSupported(): Error {
  const diagnostics = 'FHIRPath Patch is not supported here. Send a JSON Patch, as application/json-patch+json.';
  return refuse(415, 'not-supported', diagnostics);
}

function relativeTo(base: string, url: string): string {
  if (url.startsWith(`${base}/`)) return url.slice(base.length).replace(/^\/+/, '');
  const path = URL.canParse(url) ? url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '') : url;
  return path.replace(/^\/+/, '');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && !isNothing(value) ? value : undefined;
}
