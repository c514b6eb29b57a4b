import { queryPages } from '../../../storage/pages.js';
import type { Row, Stored } from '../../../storage/table-store.js';
import type { DicomService } from '../../dicom/dicom-service.js';
import type { FhirService } from '../../fhir/fhir-service.js';
import type { CheckedRun } from './table-check.js';

/** The number of partitions of each table that is checked. */
const PARTITIONS = 8;
const FHIR_PAGE = '1000';
/** The DICOM service's limit for one page. */
const DICOM_PAGE = 200;
const NO_HEADERS = { get: () => null };
const NOTHING = new Uint8Array();

export type Current = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly meta: { readonly versionId: string };
};

/** Yields the rows of a table that were written since the run began, without removed rows. */
export async function* rowsOfRun(run: Pick<CheckedRun, 'tables' | 'since'>, table: string): AsyncGenerator<Row> {
  for await (const { row } of storedOfRun(run, table)) yield row;
}

/** Yields the same rows as `rowsOfRun`, with their places. */
export async function* storedOfRun(
  { tables, since }: Pick<CheckedRun, 'tables' | 'since'>,
  table: string,
): AsyncGenerator<Stored> {
  const anyOf = [{ property: 'timestamp', is: 'ge', value: since }] as const;
  for (let n = 0; n < PARTITIONS; n += 1) {
    const query = { partition: String(n), anyOf, limit: 1000 };
    for await (const { rows } of queryPages(tables, table, query)) {
      for (const stored of rows) if (stored.row._removed !== true) yield stored;
    }
  }
}

type Bundle = { entry?: { resource: Current }[]; link?: { relation: string; url: string }[] };

/** Yields all FHIR resources of a type that are not deleted, page by page as a client does. */
export function* currentResources(
  fhir: Pick<FhirService, 'host' | 'answer'>,
  resourceType: string,
): Generator<Current> {
  let query: URLSearchParams | undefined = new URLSearchParams({ _count: FHIR_PAGE });
  while (query) {
    const bundle: Bundle = read<Bundle>(fhir, { base: `https://${fhir.host}`, path: resourceType, query }) ?? {};
    for (const { resource } of bundle.entry ?? []) yield resource;
    const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    query = next === undefined ? undefined : new URL(next).searchParams;
  }
}

/** Yields all entries of the DICOM service at `path`, such as `changefeed`, page by page as a client does. */
export function* dicomEntries<T>(dicom: Pick<DicomService, 'host' | 'answer'>, path: string): Generator<T> {
  for (let offset = 0; ; offset += DICOM_PAGE) {
    const query = new URLSearchParams({ offset: String(offset), limit: String(DICOM_PAGE) });
    const found = read<T[]>(dicom, { base: `https://${dicom.host}/v2`, path, query }) ?? [];
    yield* found;
    if (found.length < DICOM_PAGE) return;
  }
}

/** Returns undefined for an answer without content. */
function read<T>(
  service: Pick<FhirService | DicomService, 'host' | 'answer'>,
  request: { base: string; path: string; query: URLSearchParams },
): T | undefined {
  const { status, body } = service.answer({ method: 'GET', headers: NO_HEADERS, body: NOTHING, ...request });
  if (status === 204) return undefined;
  if (status !== 200) throw new TypeError(`The run's service ${service.host} answered ${status} to a read.`);
  return JSON.parse(typeof body === 'string' ? body : Buffer.from(body ?? NOTHING).toString()) as T;
}
