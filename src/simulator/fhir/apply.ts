import type { BundleResult } from './bundle/bundle.js';
import { segmentsOf } from './bundle/bundle-entry.js';
import type { Call, Result } from './call.js';
import { plain } from './content/json.js';
import { FhirError } from './content/outcome.js';
import { type FhirResource, readResource } from './content/resource-rules.js';

/** A change from within. */
export type FhirWrite =
  /** The service gives the id. */
  | { readonly method: 'POST'; readonly resource: FhirResource; readonly ifNoneExist?: string }
  /** Creates or updates the resource of this id. */
  | { readonly method: 'PUT'; readonly resource: FhirResource & { readonly id: string }; readonly ifMatch?: number }
  | { readonly method: 'DELETE'; readonly resourceType: string; readonly id: string; readonly isHard?: boolean }
  /** A Bundle of type batch or transaction. */
  | { readonly method: 'BUNDLE'; readonly bundle: FhirResource };

export type FhirOutcome = {
  readonly status: number;
  /** Of the resource that was written; undefined where nothing was, and for a bundle. */
  readonly resourceType: string | undefined;
  readonly id: string | undefined;
  readonly version: number | undefined;
  /** Why it was refused; undefined where it was done. */
  readonly problem: string | undefined;
  /** For a bundle, what became of each entry, in its order. */
  readonly entries: readonly FhirOutcome[];
};

/** What a caller gave is copied: nothing that is done here changes it. */
export function callOfWrite(write: FhirWrite, base: string): Call {
  switch (write.method) {
    case 'POST':
      return makeCall('POST', write.resource.resourceType, write.resource, { 'if-none-exist': write.ifNoneExist });
    case 'PUT': {
      const ifMatch = write.ifMatch === undefined ? undefined : `W/"${write.ifMatch}"`;
      return makeCall('PUT', `${write.resource.resourceType}/${write.resource.id}`, write.resource, {
        'if-match': ifMatch,
      });
    }
    case 'DELETE':
      return makeCall(
        'DELETE',
        `${write.resourceType}/${write.id}`,
        undefined,
        {},
        write.isHard ? '_hardDelete=true' : '',
      );
    case 'BUNDLE':
      return makeCall('POST', '', write.bundle, {});
    default:
      throw new TypeError(`unhandled ${JSON.stringify(write satisfies never)}`);
  }

  function makeCall(
    method: string,
    path: string,
    content: FhirResource | undefined,
    headers: Readonly<Record<string, string | undefined>>,
    query = '',
  ): Call {
    return {
      method,
      segments: segmentsOf(path),
      query: new URLSearchParams(query),
      header: (name) => headers[name] ?? null,
      base,
      body: {
        resource: () => readResource(plain(content)),
        bundle: () => plain(content) as Record<string, unknown>,
        jsonPatch: () => undefined,
        form: () => new URLSearchParams(),
      },
    };
  }
}

export function outcomeOf(result: Result | FhirError | BundleResult): FhirOutcome {
  const nothing = { resourceType: undefined, id: undefined, version: undefined, problem: undefined, entries: [] };
  if (result instanceof FhirError) return { ...nothing, status: result.status, problem: result.message };
  if ('results' in result) return { ...nothing, status: 200, entries: result.results.map(outcomeOf) };
  const version = result.kind === 'text' ? undefined : result.version;
  if (!version) return { ...nothing, status: result.status };
  const { resourceType, id } = version.of;
  return { ...nothing, status: result.status, resourceType, id, version: version.number };
}
