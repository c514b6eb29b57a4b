import { createTestKit, dicomEvent, fhirEvent, type TryOptions } from '../../src/testing/index.js';
import {
  type DicomReader,
  defineWorkflow,
  dicom,
  type FhirReader,
  fhir,
  type HealthEvent,
  ReadError,
  RetryAfterError,
  seconds,
} from '../../src/workflow.js';

const PATIENT = { resourceType: 'Patient', id: 'p1', active: true } as const;
const ORGANIZATION = { resourceType: 'Organization', id: 'o1' } as const;
const DATASET = { '00080018': { vr: 'UI', Value: ['1.2'] } };

/** Returns the value that a handler reads from this content; or the outcome of the job. */
async function readOf<R>(
  event: HealthEvent,
  { content, read }: { content: TryOptions; read: (resource: R) => unknown },
) {
  let found: unknown;
  const look = defineWorkflow({
    name: 'look',
    on: [fhir('Patient'), dicom()],
    async handle(_event, { resource }) {
      found = await read(resource as R);
    },
  });
  const result = await createTestKit().run(look, event, content);
  return result.kind === 'completed' ? found : result;
}

const readFhir = (content: TryOptions, read: (resource: FhirReader<'Patient'>) => unknown) =>
  readOf(fhirEvent(), { content, read });
const readDicom = (content: TryOptions, read: (resource: DicomReader) => unknown) =>
  readOf(dicomEvent(), { content, read });

async function all<T>(items: AsyncIterable<T> | undefined): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items ?? []) found.push(item);
  return found;
}

const both = async (resource: FhirReader<'Patient'>) => [await resource.current(), await resource.version()];

describe('when a test gives content of FHIR', () => {
  it.each([
    { given: 'a resource', resource: PATIENT, expected: [PATIENT, PATIENT] },
    { given: 'undefined', resource: undefined, expected: [undefined, undefined] },
    { given: 'nothing by name', resource: {}, expected: [undefined, undefined] },
    { given: 'the current one', resource: { current: PATIENT }, expected: [PATIENT, PATIENT] },
    {
      given: 'a deletion after the version',
      resource: { current: undefined, version: PATIENT },
      expected: [undefined, PATIENT],
    },
    {
      given: 'a version that is gone',
      resource: { current: PATIENT, version: undefined },
      expected: [PATIENT, undefined],
    },
  ])(
    'given $given, then the reads of the current resource and of the version return it',
    async ({ resource, expected }) => {
      expect(await readFhir({ resource }, both)).toEqual(expected);
    },
  );

  it('given others and operations, then read, search and operation find them', async () => {
    const resource = { others: [ORGANIZATION, PATIENT], operations: { $everything: { ...ORGANIZATION, id: 'o2' } } };
    const found = await readFhir({ resource }, async (reader) => ({
      read: [await reader.read('Organization', 'o1'), await reader.read('Organization', 'p1')],
      search: await all(reader.search('Patient')),
      operation: [await reader.operation('$everything'), await reader.operation('$other')],
    }));
    expect(found).toEqual({
      read: [ORGANIZATION, undefined],
      search: [PATIENT],
      operation: [{ ...ORGANIZATION, id: 'o2' }, undefined],
    });
  });

  it('given a handler that changes what it has read, then the next read is as it was', async () => {
    const found = await readFhir({ resource: PATIENT }, async (reader) => {
      Object.assign((await reader.current()) ?? {}, { active: false });
      return reader.current();
    });
    expect(found).toEqual({ resourceType: 'Patient', id: 'p1', active: true });
  });

  it.each([
    { of: 'current', read: (reader: FhirReader<'Patient'>) => reader.current() },
    { of: 'version', read: (reader: FhirReader<'Patient'>) => reader.version() },
    { of: 'read', read: (reader: FhirReader<'Patient'>) => reader.read('Patient', 'p1') },
    { of: 'search', read: (reader: FhirReader<'Patient'>) => all(reader.search('Patient')) },
    { of: 'operation', read: (reader: FhirReader<'Patient'>) => reader.operation('$everything') },
  ])('given an error, then $of throws it, and the app would try again', async ({ read }) => {
    const error = new ReadError('fhir-forbidden', 'No role.');
    const expected = { kind: 'retry', code: 'fhir-forbidden', countsAsTry: true, error };
    expect(await readFhir({ resource: error }, read)).toMatchObject(expected);
    const later = new RetryAfterError('Later.', seconds(7));
    expect(await readFhir({ resource: later }, read)).toMatchObject({ inMs: 7000, countsAsTry: false });
  });

  it('given an error for one read, then only that read throws', async () => {
    const resource = { current: new Error('broken'), version: PATIENT };
    expect(await readFhir({ resource }, (reader) => reader.version())).toEqual(PATIENT);
    expect(await readFhir({ resource }, (reader) => reader.current())).toMatchObject({ kind: 'retry' });
  });

  it('given no content at all, then a read says what is missing', async () => {
    const error = new TypeError('The handler reads, and the test gives nothing to read: kit.run(…, { resource: … }).');
    expect(await readFhir({}, (reader) => reader.current())).toMatchObject({ error });
    expect(await readDicom({}, (reader) => reader.rendered())).toMatchObject({ error });
  });
});

describe('when a test gives content of DICOM', () => {
  const everything = async (reader: DicomReader) => [
    await reader.instance(),
    await reader.series(),
    await reader.study(),
    await reader.frames([1]),
    await reader.rendered(),
  ];

  it.each([{ resource: undefined }, { resource: {} }])(
    'given %j, then no read finds anything',
    async ({ resource }) => {
      expect(await readDicom({ resource }, everything)).toEqual([undefined, [], [], undefined, undefined]);
    },
  );

  it('given metadata, then the reader returns it', async () => {
    const resource = { instance: DATASET, series: [DATASET], study: [DATASET, DATASET] };
    const found = [DATASET, [DATASET], [DATASET, DATASET], undefined, undefined];
    expect(await readDicom({ resource }, everything)).toEqual(found);
  });

  it('given frames and a rendered image, then the reader returns streams', async () => {
    const resource = { frames: [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)], rendered: Uint8Array.of(9) };
    const found = await readDicom({ resource }, async (reader) => {
      const frames: unknown[] = [];
      for await (const { content } of (await reader.frames([3, 1])) ?? []) frames.push(...(await all(content)));
      const rendered = await reader.rendered({ as: 'image/png' });
      return {
        frames,
        beyond: await reader.frames([1, 4]),
        type: rendered?.contentType,
        image: await all(rendered?.content),
      };
    });
    expect(found).toEqual({
      frames: [Uint8Array.of(3), Uint8Array.of(1)],
      beyond: undefined,
      type: 'image/png',
      image: [Uint8Array.of(9)],
    });
  });

  it.each(['instance', 'series', 'study', 'rendered'] as const)('given an error, then %s throws it', async (method) => {
    const error = new Error('broken');
    expect(await readDicom({ resource: error }, (reader) => reader[method]())).toMatchObject({ kind: 'retry', error });
    expect(await readDicom({ resource: { [method]: error } }, (reader) => reader[method]())).toMatchObject({ error });
  });
});
