import type { FhirService } from '../../fhir/fhir-service.js';

export type Current = { readonly id: string; readonly meta: { readonly versionId: string } } & Readonly<
  Record<string, unknown>
>;

const PAGE = '1000';
const NO_HEADERS = { get: () => null };
const NOTHING = new Uint8Array();

/** All resources of a type that are not deleted, read page by page as a client does. */
export function* currentResources(
  fhir: Pick<FhirService, 'host' | 'answer'>,
  resourceType: string,
): Generator<Current> {
  const base = `https://${fhir.host}`;
  let query: URLSearchParams | undefined = new URLSearchParams({ _count: PAGE });
  while (query) {
    const request = { method: 'GET', path: resourceType, query, headers: NO_HEADERS, body: NOTHING, base };
    const { status, body } = fhir.answer(request);
    if (status !== 200) throw new TypeError(`The run's FHIR service answered ${status} to a search.`);
    const bundle = JSON.parse(typeof body === 'string' ? body : Buffer.from(body ?? NOTHING).toString()) as Bundle;
    for (const { resource } of bundle.entry ?? []) yield resource;
    const next: string | undefined = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    query = next === undefined ? undefined : new URL(next).searchParams;
  }
}

type Bundle = { entry?: { resource: Current }[]; link?: { relation: string; url: string }[] };
