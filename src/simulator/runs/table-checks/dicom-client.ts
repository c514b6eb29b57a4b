import type { Dataset } from '../../dicom/dataset.js';
import type { DicomService } from '../../dicom/dicom-service.js';

export type FeedEntry = {
  readonly partitionName: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly action: 'create' | 'update' | 'delete';
  readonly timestamp: string;
  /** `replaced`: the image has a newer entry. */
  readonly state: 'current' | 'replaced' | 'deleted';
};

/** The service's limit for one page. */
const PAGE = 200;
const NO_HEADERS = { get: () => null };
const NOTHING = new Uint8Array();

/** Reads from the DICOM service of a run page by page, as a client does. */
export function createDicomClient(dicom: Pick<DicomService, 'host' | 'answer'>) {
  return {
    /** All entries of the change feed, in their order. */
    changes: () => pages<FeedEntry>('changefeed'),
    /** All series of a partition, with study and modality. */
    series: (partition: string) => pages<Dataset>(`partitions/${encodeURIComponent(partition)}/series`),
  };

  function* pages<T>(path: string): Generator<T> {
    for (let offset = 0; ; offset += PAGE) {
      const found = page<T>(path, new URLSearchParams({ offset: String(offset), limit: String(PAGE) }));
      yield* found;
      if (found.length < PAGE) return;
    }
  }

  function page<T>(path: string, query: URLSearchParams): T[] {
    const base = `https://${dicom.host}/v2`;
    const { status, body } = dicom.answer({ method: 'GET', path, query, headers: NO_HEADERS, body: NOTHING, base });
    if (status === 204) return [];
    if (status !== 200) throw new TypeError(`The run's DICOM service answered ${status} to what a run asks of it.`);
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body ?? NOTHING).toString()) as T[];
  }
}
