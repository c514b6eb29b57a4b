import type { Bundle, FhirResource } from 'fhir/r4.js';
import { NonRetriableError } from '../errors.js';
import type { FhirEvent } from '../events/health-event.js';
import { parseJson } from './body.js';
import { type Endpoint, nextPathOf, pathOf } from './endpoint.js';
import type { ResourcePlace } from './get-request.js';
import type { GetWithRetry } from './get-with-retry.js';
import { readError } from './read-error.js';
import type { Share } from './share.js';

export type { FhirResource };
/** The name of a resource type of FHIR R4, such as `Patient`. */
export type FhirType = FhirResource['resourceType'];

/** The resource of an R4 type; any resource for `string` and for a type that is not in R4. */
export type ResourceOf<R extends string> = R extends FhirType
  ? Extract<FhirResource, { readonly resourceType: R }>
  : FhirResource;

/** Parameters of a search or an operation. A list repeats the parameter. */
export type FhirParameters = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Reads from the event's FHIR service. Each caller gets its own objects. */
export type FhirReader<R extends string = string> = {
  readonly service: 'fhir';
  /** The newest version of the event's resource, at most 20 s old; undefined if the resource is deleted. */
  current(): Promise<ResourceOf<R> | undefined>;
  /** The event's version of the resource; undefined if it is a deletion, or is no longer kept. */
  version(): Promise<ResourceOf<R> | undefined>;
  /** Another resource; undefined if the service has no such resource. */
  read<T extends FhirType>(type: T, id: string): Promise<ResourceOf<T> | undefined>;
  /** All matches. Pages are read as the caller needs them. Resources added by `_include` are left out. */
  search<T extends FhirType>(type: T, parameters?: FhirParameters): AsyncIterable<ResourceOf<T>>;
  /** The answer of an operation on the event's resource that only reads, such as `$everything`. */
  operation(name: `$${string}`, parameters?: FhirParameters): Promise<FhirResource | undefined>;
};

export type ReaderDeps = {
  readonly getWithRetry: GetWithRetry;
  readonly share: Share;
  /** @throws NonRetriableError if the event's host is not listed. */
  readonly endpoint: () => Endpoint;
  readonly signal: AbortSignal;
};

const FHIR_JSON = 'application/fhir+json';
/** The maximum of one search. A service with a fault could name new pages for ever. */
const MAX_PAGES = 10_000;
/** Types, ids and versions as FHIR defines them. Only these go into batches, whose URLs services decode differently. */
const PLAIN = /^[A-Za-z0-9.-]{1,64}$/;
const OPERATION = /^\$[A-Za-z][A-Za-z0-9-]*$/;

/** Returns the `resource` of a handler of FHIR events. */
export function createFhirReader(event: FhirEvent, deps: ReaderDeps): FhirReader {
  const { getWithRetry, share, endpoint, signal } = deps;
  const { resourceType, resourceId, version } = event;
  const get: Get = (path) => getWithRetry.text(endpoint(), { path, accept: FHIR_JSON, signal });

  return {
    service: 'fhir',
    current: async () => {
      return resourceIn(await shared('current', { type: resourceType, id: resourceId }), resourceType);
    },
    version: async () => {
      const place = { type: resourceType, id: resourceId, version: String(version) };
      return resourceIn(await shared('version', place), resourceType);
    },
    read: async (type, id) =>
      resourceIn(await getWithRetry.text(endpoint(), requestOf({ type, id }, signal)), type) as never,
    search: (type, parameters) => searchAll(pathOf(type) + queryOf(parameters), type, { get, endpoint }) as never,
    operation: async (name, parameters) => {
      if (!OPERATION.test(name)) {
        throw new NonRetriableError("The name of an operation must be '$' and letters.", { code: 'operation-name' });
      }
      return resourceIn(await get(`${pathOf(resourceType, resourceId)}/${name}${queryOf(parameters)}`));
    },
  };

  /** Returns the text that readers share. Each parses its own object, so that no reader sees another's changes. */
  function shared(name: string, place: ResourcePlace): Promise<string | undefined> {
    const to = endpoint();
    return share({ event, name, signal }, async (sharedSignal) =>
      getWithRetry.text(to, requestOf(place, sharedSignal)),
    );
  }
}

type Get = (path: string) => Promise<string | undefined>;

/** Yields all matches of a search, page by page. `first`: the path of the first page. */
async function* searchAll(
  first: string,
  type: string,
  { get, endpoint }: Pick<ReaderDeps, 'endpoint'> & { readonly get: Get },
): AsyncGenerator<FhirResource> {
  const requested = new Set<string>();
  for (let path: string | undefined = first; path !== undefined; ) {
    requested.add(path);
    const bundle = resourceIn(await get(path), 'Bundle') as Bundle<FhirResource> | undefined;
    for (const { resource, search } of bundle?.entry ?? []) {
      const isMatch = search?.mode === undefined || search.mode === 'match';
      if (isMatch && resource?.resourceType === type) yield resource;
    }
    path = nextOf(bundle, endpoint());
    if (path !== undefined && (requested.has(path) || requested.size >= MAX_PAGES)) {
      throw readError('fhir', 'endless', 'names pages in a circle, or more than 10,000 pages.');
    }
  }
}

function requestOf(place: ResourcePlace, signal: AbortSignal) {
  const { type, id, version } = place;
  const isPlain = [type, id, version ?? id].every((part) => PLAIN.test(part));
  const path = pathOf(type, id, ...(version === undefined ? [] : ['_history', version]));
  return { path, accept: FHIR_JSON, signal, place: isPlain ? place : undefined };
}

function nextOf(bundle: Bundle | undefined, endpoint: Endpoint): string | undefined {
  const link = bundle?.link?.find(({ relation }) => relation === 'next')?.url;
  return link === undefined ? undefined : nextPathOf(endpoint, link);
}

function resourceIn(text: string | undefined, type?: string): FhirResource | undefined {
  if (text === undefined) return undefined;
  const parsed = parseJson(text, 'fhir') as { readonly resourceType?: unknown } | null;
  const found = parsed?.resourceType;
  if (typeof found === 'string' && (type === undefined || found === type)) return parsed as FhirResource;
  throw readError('fhir', 'other-resource', 'answered with JSON that is not the resource asked for.');
}

function queryOf(parameters: FhirParameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return query.size === 0 ? '' : `?${query}`;
}
