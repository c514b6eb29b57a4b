import type { DicomEvent } from '../events/health-event.js';
import { NonRetriableError } from '../workflow.js';
import type { Streamed } from './body.js';
import { type Endpoint, pathOf } from './endpoint.js';
import type { ReaderDeps } from './fhir-reader.js';
import { boundaryIn, type Part, readParts } from './multipart.js';
import { ReadError, readError } from './read-error.js';

/** A data set of the DICOM JSON model: attributes by tag, `00100010`. */
export type DicomJson = {
  readonly [tag: string]: {
    readonly vr: string;
    readonly Value?: readonly unknown[];
    readonly BulkDataURI?: string;
    readonly InlineBinary?: string;
  };
};

export type RenderedOptions = {
  /** The first is 1; the image as a whole, where left out. */
  frame?: number;
  as?: 'image/jpeg' | 'image/png';
  /** Of a JPEG, 1 to 100. */
  quality?: number;
};

/** Reads from the DICOM service that the event is of. Metadata is as it was at most 20 s ago, and the caller's own. */
export type DicomReader = {
  readonly service: 'dicom';
  /** Metadata of the event's image; undefined where it is deleted. */
  instance(): Promise<DicomJson | undefined>;
  /** Metadata of each image there is in the event's series. */
  series(): Promise<DicomJson[]>;
  /** Metadata of each image there is in the event's study. */
  study(): Promise<DicomJson[]>;
  /** Frames as they are stored, from 1, each as a stream, one after the other; undefined where the image is deleted. */
  frames(numbers: readonly number[]): Promise<AsyncIterable<Part> | undefined>;
  /** The image, or a frame of it, for people to look at; undefined where it is deleted. */
  rendered(options?: RenderedOptions): Promise<Streamed | undefined>;
};

const DICOM_JSON = 'application/dicom+json';
const FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const DEFAULT_PARTITION = 'Microsoft.Default';
/** Services that want the name of the default partition in every path; others refuse it. */
const partitioned = new WeakSet<Endpoint>();

export function createDicomReader(event: DicomEvent, deps: ReaderDeps): DicomReader {
  const { getWithRetry, share, endpoint, signal } = deps;
  const { studyUid, seriesUid, instanceUid } = event;

  return {
    service: 'dicom',
    instance: async () => (await metadata('instance', instancePath()))[0],
    series: async () => metadata('series', pathOf('studies', studyUid, 'series', seriesUid)),
    study: async () => metadata('study', pathOf('studies', studyUid)),
    frames: async (numbers) => {
      if (numbers.length === 0) throw noFrame();
      const path = `${instancePath()}/frames/${numbers.map(frameNumber).join(',')}`;
      const answer = await stream(path, FRAMES);
      return answer && partsOf(answer);
    },
    rendered: async ({ frame, as = 'image/jpeg', quality } = {}) => {
      const of = frame === undefined ? '' : `/frames/${frameNumber(frame)}`;
      const query = quality === undefined ? '' : `?${new URLSearchParams({ quality: String(quality) })}`;
      return stream(`${instancePath()}${of}/rendered${query}`, as);
    },
  };

  function instancePath(): string {
    return pathOf('studies', studyUid, 'series', seriesUid, 'instances', instanceUid);
  }

  async function metadata(name: string, path: string): Promise<DicomJson[]> {
    const to = endpoint();
    const text = await share({ event, name, signal }, (both) =>
      inPartition(to, `${path}/metadata`, (whole) =>
        getWithRetry.text(to, { path: whole, accept: DICOM_JSON, signal: both }),
      ),
    );
    return text === undefined ? [] : datasetsIn(text);
  }

  function stream(path: string, accept: string): Promise<Streamed | undefined> {
    const to = endpoint();
    return inPartition(to, path, (whole) => getWithRetry.stream(to, { path: whole, accept, signal }));
  }

  /**
   * An event names the default partition whether or not its service has partitions. A service that has them answers 400
   * to a path without; one that has none, to a path with one. The shorter path is tried first, and the answer kept in mind.
   */
  async function inPartition<T>(to: Endpoint, path: string, get: (path: string) => Promise<T>): Promise<T> {
    const named = `/v2${pathOf('partitions', event.partition)}${path}`;
    if (event.partition !== DEFAULT_PARTITION || partitioned.has(to)) return get(named);
    try {
      return await get(`/v2${path}`);
    } catch (error) {
      if (!(error instanceof ReadError && error.code === 'dicom-http-400')) throw error;
      const found = await get(named);
      partitioned.add(to);
      return found;
    }
  }
}

function partsOf({ contentType, content }: Streamed): AsyncIterable<Part> {
  const boundary = boundaryIn(contentType);
  return boundary === undefined ? onlyPart({ contentType, content }) : readParts(content, boundary);
}

async function* onlyPart(part: Part): AsyncGenerator<Part> {
  yield part;
}

function datasetsIn(text: string): DicomJson[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw readError('dicom', 'not-json', 'answered with something that is not JSON.');
  }
  if (!Array.isArray(parsed)) throw readError('dicom', 'no-list', 'answered with JSON that is no list of data sets.');
  return parsed;
}

function frameNumber(number: number): string {
  if (!Number.isInteger(number) || number < 1) throw noFrame();
  return String(number);
}

function noFrame(): NonRetriableError {
  return new NonRetriableError('Frames are named by whole numbers, the first is 1.', { code: 'frame-number' });
}
