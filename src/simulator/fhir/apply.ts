import type { BundleResult } from './bundle/bundle.js';
import { segmentsOf } from './bundle/bundle-entry.js';
import type { Call, Result } from './call.js';
import { plain } from './content/json.js';
import { FhirError } from './content/outcome.js';
import { type FhirResource, readResource } from './content/resource-rules.js';
import { readPrefer } from './prefer.js';

/** A change that a scenario makes without HTTP. */
export type FhirWrite =
  /** Creates a resource under an id of the service. */
  | { readonly method: 'POST'; readonly resource: FhirResource; readonly ifNoneExist?: string }
  /** Creates or updates the resource of this id. */
  | { readonly method: 'PUT'; readonly resource: FhirResource & { readonly id: string }; readonly ifMatch?: number }
  | { readonly method: 'DELETE'; readonly resourceType: string; readonly id: string; readonly isHard?: boolean }
  /** A Bundle of type batch or transaction. */
  | { readonly method: 'BUNDLE'; readonly bundle: FhirResource };

/** The result of a write without HTTP. Only a bundle has `entries`. */
export type FhirOutcome = {
  readonly status: number;
  /** The resource that was written; undefined where nothing was written, and for a bundle. */
  readonly resourceType: string | undefined;
  readonly id: string | undefined;
  readonly version: number | undefined;
  /** The reason of a refusal; undefined after a success. */
  readonly problem: string | undefined;
  /** The outcome of each entry of a bundle, in the order of the entries. */
  readonly entries: readonly FhirOutcome[];
};

/** Returns the call of a write, with a copy of the resource: the service never changes the caller's object. */
export function callOfWrite(write: FhirWrite, base: string): Call {
  const { method, path, query, content, headers = {} } = requestOf(write);
  return {
    method,
    segments: segmentsOf(path),
    query: new URLSearchParams(query),
    header: (name) => headers[name] ?? null,
    prefer: readPrefer(null),
    base,
    body: {
      resource: () => readResource(plain(content)),
      bundle: () => plain(content) as Record<string, unknown>,
      jsonPatch: () => undefined,
      form: () => new URLSearchParams(),
    },
  };
}

type Request = {
  method: string;
  path: string;
  query?: string;
  content?: FhirResource;
  headers?: Readonly<Record<string, string | undefined>>;
};

function requestOf(write: FhirWrite): Request {
  switch (write.method) {
    case 'POST': {
      const { method, resource, ifNoneExist } = write;
      return { method, path: resource.resourceType, content: resource, headers: { 'if-none-exist': ifNoneExist } };
    }
    case 'PUT': {
      const { method, resource, ifMatch } = write;
      const headers = { 'if-match': ifMatch === undefined ? undefined : `W/"${ifMatch}"` };
      return { method, path: `${resource.resourceType}/${resource.id}`, content: resource, headers };
    }
    case 'DELETE': {
      const { method, resourceType, id, isHard } = write;
      return { method, path: `${resourceType}/${id}`, query: isHard ? '_hardDelete=true' : '' };
    }
    case 'BUNDLE':
      return { method: 'POST', path: '', content: write.bundle };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(write satisfies never)}`);
  }
}

/** Returns the outcome of a write, for a bundle with the outcome of each entry. */
export function outcomeOf(result: Result | FhirError | BundleResult): FhirOutcome {
  const nothing = { resourceType: undefined, id: undefined, version: undefined, problem: undefined, entries: [] };
  if (result instanceof FhirError) return { ...nothing, status: result.status, problem: result.message };
  if ('results' in result) return { ...nothing, status: 200, entries: result.results.map(outcomeOf) };
  const version = result.kind === 'text' ? undefined : result.version;
  const { resourceType, id } = version?.of ?? nothing;
  return { ...nothing, status: result.status, resourceType, id, version: version?.number };
}
