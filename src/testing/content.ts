import type { Streamed } from '../clients/body.js';
import type { Part } from '../clients/multipart.js';
import type { DicomJson, DicomReader, FhirReader, FhirResource, HealthEvent, ReaderOf } from '../workflow.js';

/**
 * What the handler's reads find. A resource: it is the current one and the event's version too. Undefined: it is gone.
 * An error: every read throws it. Or each by its name; what is not named is gone.
 */
export type Content = FhirResource | FhirContent | DicomContent | Error | undefined;

export type FhirContent = {
  current?: FhirResource | Error | undefined;
  /** As `current` where left out. */
  version?: FhirResource | Error | undefined;
  /** What `read` finds by type and id, and `search` by type, whatever its parameters. */
  others?: readonly FhirResource[];
  operations?: Readonly<Record<`$${string}`, FhirResource | Error>>;
};

export type DicomContent = {
  instance?: DicomJson | Error | undefined;
  series?: readonly DicomJson[] | Error;
  study?: readonly DicomJson[] | Error;
  /** The first is frame 1. */
  frames?: readonly Uint8Array[] | Error;
  rendered?: Uint8Array | Error;
};

/** A reader that finds `content`, a copy for each who asks. */
export function readerOfContent(event: HealthEvent, content: Content): ReaderOf<HealthEvent> {
  return event.service === 'fhir' ? fhirReader(namedFhir(content)) : dicomReader(namedDicom(content));
}

/** For a test that says nothing of content: what is read then is neither there nor gone. */
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

/** `broken`: what every read throws. */
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
