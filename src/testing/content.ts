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
  return event.service === 'fhir' ? fhirReader(namedFhir(content)) : dicomReader(namedDicom(content));
}

/** Returns a reader whose reads throw, for tests that set no content. */
export function readerOfNothing(event: HealthEvent): ReaderOf<HealthEvent> {
  const missing = new TypeError('The handler reads, and the test gives nothing to read: kit.run(…, { resource: … }).');
  return readerOfContent(event, missing);
}

function fhirReader({ current, version, others, operations, broken }: AllOfFhir): FhirReader {
  const found = async (resource: FhirResource | Error | undefined) => copyOf(resource) as never;
  return {
    service: 'fhir',
    current: () => found(current),
    version: () => found(version),
    read: (type, id) => found(broken ?? others.find((one) => one.resourceType === type && one.id === id)),
    operation: (name) => found(broken ?? operations[name]),
    async *search(type) {
      copyOf(broken);
      for (const one of others) if (one.resourceType === type) yield copyOf(one) as never;
    },
  };
}

function dicomReader({ instance, series, study, frames, rendered }: Required<DicomContent>): DicomReader {
  return {
    service: 'dicom',
    instance: async () => copyOf(instance),
    series: async () => [...copyOf(series)],
    study: async () => [...copyOf(study)],
    async frames(numbers) {
      const all = copyOf(frames);
      const wanted = numbers.flatMap((number) => all[number - 1] ?? []);
      return wanted.length === numbers.length ? partsOf(wanted) : undefined;
    },
    async rendered({ as = 'image/jpeg' } = {}) {
      const image = copyOf(rendered);
      return image.length === 0 ? undefined : streamed(as, image);
    },
  };
}

/** `broken` is the error that every read throws. */
type AllOfFhir = Required<FhirContent> & { broken: Error | undefined };

function namedFhir(content: Content): AllOfFhir {
  const all = { others: [], operations: {}, broken: content instanceof Error ? content : undefined };
  if (content === undefined || content instanceof Error || 'resourceType' in content) {
    const same = content as FhirResource | Error | undefined;
    return { ...all, current: same, version: same };
  }
  const { current, ...named } = content as FhirContent;
  return { ...all, current, version: current, ...named };
}

function namedDicom(content: Content): Required<DicomContent> {
  if (content instanceof Error) {
    return { instance: content, series: content, study: content, frames: content, rendered: content };
  }
  const nothing = { instance: undefined, series: [], study: [], frames: [], rendered: new Uint8Array() };
  return { ...nothing, ...(content as DicomContent | undefined) };
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
