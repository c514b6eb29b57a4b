import type { Streamed } from '../clients/body.js';
import type { Part } from '../clients/multipart.js';
import type { DicomJson, DicomReader, FhirReader, FhirResource, HealthEvent, ReaderOf } from '../workflow.js';

/**
 * The content that the handler's reads find. A resource is both the current resource and the event's version. Undefined
 * means gone. An error is thrown by every read. An object sets each read by name; reads that it does not name find
 * nothing.
 */
export type Content = FhirResource | FhirContent | DicomContent | Error | undefined;

/** Content for each read of a FHIR service. */
export type FhirContent = {
  current?: FhirResource | Error | undefined;
  /** Default: as `current`. */
  version?: FhirResource | Error | undefined;
  /** Resources that `read` finds by type and id, and `search` finds by type, whatever its parameters. */
  others?: readonly FhirResource[];
  operations?: Readonly<Record<`$${string}`, FhirResource | Error>>;
};

/** Content for each read of a DICOM service. */
export type DicomContent = {
  instance?: DicomJson | Error | undefined;
  series?: readonly DicomJson[] | Error;
  study?: readonly DicomJson[] | Error;
  /** The first item is frame 1. */
  frames?: readonly Uint8Array[] | Error;
  rendered?: Uint8Array | Error;
};

/** Returns a reader that finds `content`, a new copy at each read. */
export function readerOfContent(event: HealthEvent, content: Content): ReaderOf<HealthEvent> {
  return event.service === 'fhir' ? fhirReader(content) : dicomReader(content);
}

/** Returns a reader whose reads throw, for tests that set no content. */
export function readerOfNothing(event: HealthEvent): ReaderOf<HealthEvent> {
  const missing = new TypeError('The handler reads, and the test gives nothing to read: kit.run(…, { resource: … }).');
  return readerOfContent(event, missing);
}

function fhirReader(content: Content): FhirReader {
  const broken = errorIn(content);
  const isNamed = content && !broken && !('resourceType' in content);
  const named = (isNamed ? content : { current: content }) as FhirContent;
  const { current, others = [], operations = {} } = named;
  const version = 'version' in named ? named.version : current;
  const found = async (resource: FhirResource | Error | undefined) => copyOf(broken ?? resource) as never;
  return {
    service: 'fhir',
    current: () => found(current),
    version: () => found(version),
    read: (type, id) => found(others.find((one) => one.resourceType === type && one.id === id)),
    operation: (name) => found(operations[name]),
    async *search(type) {
      copyOf(broken);
      for (const one of others) if (one.resourceType === type) yield copyOf(one) as never;
    },
  };
}

function dicomReader(content: Content): DicomReader {
  const broken = errorIn(content);
  const named = (broken ? {} : (content ?? {})) as DicomContent;
  const { instance, series = [], study = [], frames = [], rendered = new Uint8Array() } = named;
  const found = <T>(value: T | Error) => copyOf(broken ?? value);
  return {
    service: 'dicom',
    instance: async () => found(instance),
    series: async () => [...found(series)],
    study: async () => [...found(study)],
    async frames(numbers) {
      const all = found(frames);
      const wanted = numbers.flatMap((number) => all[number - 1] ?? []);
      return wanted.length === numbers.length ? partsOf(wanted) : undefined;
    },
    async rendered({ as = 'image/jpeg' } = {}) {
      const image = found(rendered);
      return image.length === 0 ? undefined : streamed(as, image);
    },
  };
}

/** Returns the error that every read throws. */
function errorIn(content: Content): Error | undefined {
  return content instanceof Error ? content : undefined;
}

function copyOf<T>(value: T | Error): T {
  if (value instanceof Error) throw value;
  return structuredClone(value);
}

async function* partsOf(frames: readonly Uint8Array[]): AsyncGenerator<Part> {
  for (const frame of frames) yield streamed('application/octet-stream', frame);
}

function streamed(contentType: string, bytes: Uint8Array): Streamed {
  return { contentType, content: contentOf(bytes) };
}

async function* contentOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
