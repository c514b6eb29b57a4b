import type { Dataset } from '../../dicom/dataset.js';
import type { DicomService } from '../../dicom/dicom-service.js';

export type FeedEntry = {
  readonly partitionName: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly action: 'create' | 'update' | 'delete';
  readonly timestamp: string;
  /** Whether it is the image's newest, `replaced` where it is not. */
  readonly state: 'current' | 'replaced' | 'deleted';
};

/** The most that the service gives at once. */
const PAGE = 200;
const NO_HEADERS = { get: () => null };
const NOTHING = new Uint8Array();

/** Asks the service of a run as anybody would, page by page. */
export function createDicomClient({ host, answer }: Pick<DicomService, 'host' | 'answer'>) {
  return {
    /** All that has happened, in order. */
    changes: () => pages<FeedEntry>('changefeed'),
    /** All series that there are in a partition, with their study and modality. */
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
    const base = `https://${host}/v2`;
    const { status, body } = answer({ method: 'GET', path, query, headers: NO_HEADERS, body: NOTHING, base });
    if (status === 204) return [];
    if (status !== 200) throw new TypeError(`The run's DICOM service answered ${status} to what a run asks of it.`);
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body ?? NOTHING).toString()) as T[];
  }
}
