import type { ServiceChange } from '../../../src/simulator/changes.js';
import { FhirService } from '../../../src/simulator/fhir/fhir-service.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createFakeClock, type FakeClock } from '../../../src/testing/fake-clock.js';

export const BASE = 'http://fhir.test/simulator/fhir';
export const PATCH = { 'content-type': 'application/json-patch+json' };

/** The parts of an answer that tests check. */
export type Json = {
  readonly resourceType?: string;
  readonly id?: string;
  readonly type?: string;
  readonly active?: boolean;
  readonly total?: number;
  readonly meta?: { readonly versionId?: string; readonly lastUpdated?: string; readonly tag?: readonly unknown[] };
  readonly subject?: { readonly reference?: string };
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly Entry[];
  readonly issue?: readonly {
    readonly diagnostics: string;
    readonly code: string;
    readonly expression?: readonly string[];
  }[];
};

export type Entry = {
  readonly fullUrl?: string;
  readonly resource?: Json;
  readonly search?: { readonly mode: string };
  readonly request?: { readonly method: string; readonly url: string };
  readonly response?: {
    readonly status: string;
    readonly location?: string;
    readonly etag?: string;
    readonly lastModified?: string;
    readonly outcome?: Json;
  };
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: Json;
  /** The diagnostics of the first issue. */
  readonly problem: string;
};

export type FhirWorld = {
  readonly service: FhirService;
  readonly clock: FakeClock;
  /** The published changes: a list for each call. */
  readonly published: (readonly ServiceChange[])[];
  /** Returns the events since the last call, each as `Patient/1 updated 2`. */
  events(): string[];
  ask(method: string, url: string, body?: unknown, headers?: Record<string, string>): Answer;
  /** Returns the ids on the page at `url`, and on all pages after it. */
  walk(url: string): string[][];
};

export function createFhirWorld(
  options: { seed?: number; historyBytes?: number; currentBytes?: number } = {},
): FhirWorld {
  const { seed = 1, ...rest } = options;
  const clock = createFakeClock();
  const published: (readonly ServiceChange[])[] = [];
  let seen = 0;
  const publish = (changes: readonly ServiceChange[]) => void published.push(changes);
  const service = new FhirService({ host: 'fhir.test', clock, random: seededRandom(seed), publish, ...rest });

  return {
    service,
    clock,
    published,
    events() {
      const fresh = published.slice(seen).flat();
      seen = published.length;
      return fresh.map((change) =>
        change.service === 'fhir'
          ? `${change.resourceType}/${change.resourceId} ${change.change} ${change.version}`
          : '',
      );
    },
    ask,
    walk(url) {
      const pages: string[][] = [];
      let next: string | undefined = url;
      while (next !== undefined) {
        const { json } = ask('GET', next);
        pages.push(idsOf(json));
        next = linkOf(json, 'next');
      }
      return pages;
    },
  };

  function ask(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Answer {
    const [path = '', ...query] = (url.startsWith(BASE) ? url.slice(BASE.length) : url).split('?');
    const answer = service.answer({
      method,
      path: path.replace(/^\//, ''),
      query: new URLSearchParams(query.join('?')),
      headers: new Headers({ ...(body !== undefined && { 'content-type': 'application/fhir+json' }), ...headers }),
      body: bytesOf(body),
      base: BASE,
    });
    const text = answer.body === undefined ? '' : String(answer.body);
    const json = (text === '' ? {} : JSON.parse(text)) as Json;
    return {
      status: answer.status,
      headers: answer.headers ?? {},
      text,
      json,
      problem: json.issue?.[0]?.diagnostics ?? '',
    };
  }
}

/** Returns the current version of a resource; undefined where there never was a resource, or after a hard delete. */
export function currentOf(service: FhirService, resourceType: string, id: string) {
  const { status, headers } = service.answer({
    method: 'GET',
    path: `${resourceType}/${id}`,
    query: new URLSearchParams(),
    headers: new Headers(),
    body: Buffer.of(),
    base: BASE,
  });
  return status === 404 ? undefined : { version: Number(/\d+/.exec(headers?.ETag ?? '')), deleted: status === 410 };
}

export function idsOf(bundle: Json): string[] {
  return (bundle.entry ?? []).flatMap(({ resource, search }) =>
    search?.mode === 'outcome' ? [] : [resource?.id ?? 'deleted'],
  );
}

export function linkOf(bundle: Json, relation: string): string | undefined {
  return bundle.link?.find((link) => link.relation === relation)?.url;
}

/** Returns the diagnostics of the OperationOutcome in a bundle. */
export function warningsOf(bundle: Json): string[] {
  const outcomes = (bundle.entry ?? []).filter(({ search }) => search?.mode === 'outcome');
  return outcomes.flatMap(({ resource }) => (resource?.issue ?? []).map(({ diagnostics }) => diagnostics));
}

export function patient(id?: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { resourceType: 'Patient', ...(id !== undefined && { id }), ...more };
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}
