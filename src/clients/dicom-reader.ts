import { NonRetriableError } from '../errors.js';
import type { DicomEvent } from '../events/health-event.js';
import { parseJson, type Streamed } from './body.js';
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

/** The wanted form of a rendered image. Default: the whole image as JPEG. */
export type RenderedOptions = {
  /** The number of a frame, from 1. Default: the whole image. */
  frame?: number;
  as?: 'image/jpeg' | 'image/png';
  /** The quality of a JPEG, 1 to 100. */
  quality?: number;
};

/** Reads from the event's DICOM service. Metadata is at most 20 s old. Each caller gets its own objects. */
export type DicomReader = {
  readonly service: 'dicom';
  /** Metadata of the event's image; undefined if the image is deleted. */
  instance(): Promise<DicomJson | undefined>;
  /** Metadata of each image in the event's series. */
  series(): Promise<DicomJson[]>;
  /** Metadata of each image in the event's study. */
  study(): Promise<DicomJson[]>;
  /** Stored frames, from 1, one stream after the other; undefined if the image is deleted. */
  frames(numbers: readonly number[]): Promise<AsyncIterable<Part> | undefined>;
  /** The image or one frame as JPEG or PNG; undefined if the image is deleted. */
  rendered(options?: RenderedOptions): Promise<Streamed | undefined>;
};

const DICOM_JSON = 'application/dicom+json';
const FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const DEFAULT_PARTITION = 'Microsoft.Default';
/** Services that need the name of the default partition in every path. Other services refuse that name. */
const partitioned = new WeakSet<Endpoint>();

/** Returns the `resource` of a handler of DICOM events. */
export function createDicomReader(event: DicomEvent, deps: ReaderDeps): DicomReader {
  const { studyUid, seriesUid, instanceUid } = event;
  const reads = new PartitionReads(event, deps);
  const instancePath = () => pathOf('studies', studyUid, 'series', seriesUid, 'instances', instanceUid);

  return {
    service: 'dicom',
    instance: async () => (await reads.metadata('instance', instancePath()))[0],
    series: async () => reads.metadata('series', pathOf('studies', studyUid, 'series', seriesUid)),
    study: async () => reads.metadata('study', pathOf('studies', studyUid)),
    frames: async (numbers) => {
      if (numbers.length === 0) throw noFrame();
      const path = `${instancePath()}/frames/${numbers.map(frameNumber).join(',')}`;
      const answer = await reads.stream(path, FRAMES);
      return answer && partsOf(answer);
    },
    rendered: async ({ frame, as = 'image/jpeg', quality } = {}) => {
      const of = frame === undefined ? '' : `/frames/${frameNumber(frame)}`;
      const query = quality === undefined ? '' : `?${new URLSearchParams({ quality: String(quality) })}`;
      return reads.stream(`${instancePath()}${of}/rendered${query}`, as);
    },
  };
}

/** The reads of one event's resource, each in the event's partition of the service. */
class PartitionReads {
  readonly #event: DicomEvent;
  readonly #deps: ReaderDeps;

  constructor(event: DicomEvent, deps: ReaderDeps) {
    this.#event = event;
    this.#deps = deps;
  }

  async metadata(name: string, path: string): Promise<DicomJson[]> {
    const { getWithRetry, share, endpoint, signal } = this.#deps;
    const to = endpoint();
    const text = await share({ event: this.#event, name, signal }, (sharedSignal) =>
      this.#get(to, `${path}/metadata`, (fullPath) =>
        getWithRetry.text(to, { path: fullPath, accept: DICOM_JSON, signal: sharedSignal }),
      ),
    );
    return text === undefined ? [] : datasetsIn(text);
  }

  async stream(path: string, accept: string): Promise<Streamed | undefined> {
    const { getWithRetry, endpoint, signal } = this.#deps;
    const to = endpoint();
    return this.#get(to, path, (fullPath) => getWithRetry.stream(to, { path: fullPath, accept, signal }));
  }

  /**
   * Adds the version and the partition to a path. An event names the default partition whether or not its service has
   * partitions. A service with partitions answers 400 to a path without a partition, a service without partitions to a path
   * with one. So the short path is tried first, and `partitioned` remembers the result.
   */
  async #get<T>(to: Endpoint, path: string, get: (path: string) => Promise<T>): Promise<T> {
    const { partition } = this.#event;
    const named = `/v2${pathOf('partitions', partition)}${path}`;
    if (partition !== DEFAULT_PARTITION || partitioned.has(to)) return get(named);
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

async function* partsOf({ contentType, content }: Streamed): AsyncGenerator<Part> {
  const boundary = boundaryIn(contentType);
  if (boundary !== undefined) return yield* readParts(content, boundary);
  yield { contentType, content }; // the only part
}

function datasetsIn(text: string): DicomJson[] {
  const parsed = parseJson(text, 'dicom');
  if (Array.isArray(parsed)) return parsed;
  throw readError('dicom', 'no-list', 'answered with JSON that is not a list of data sets.');
}

function frameNumber(number: number): string {
  if (!Number.isInteger(number) || number < 1) throw noFrame();
  return String(number);
}

function noFrame(): NonRetriableError {
  return new NonRetriableError('The number of a frame must be a whole number from 1.', { code: 'frame-number' });
}
