import { HttpRequest } from '@azure/functions';
import { systemClock } from '../../src/clock.js';
import { systemRandom } from '../../src/functions/random.js';
import { findInProcess } from '../../src/simulator/in-process.js';
import { registerSimulator } from '../../src/simulator/register.js';
import { createWorld } from '../../src/simulator/world.js';
import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import type { DicomReader, FhirReader } from '../../src/workflow.js';
import { failureOf } from '../clients/stand-in.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { fileOf } from './dicom/files.js';
import { storeFile } from './dicom/open-service.js';
import { startSimulator } from './memory-simulator.js';

const FHIR_HOST = 'simulator-main.fhir.azurehealthcareapis.com';
const DICOM_HOST = 'simulator-main.dicom.azurehealthcareapis.com';
const { signal } = new AbortController();

let world: Awaited<ReturnType<typeof startSimulator>>;
beforeEach(async () => {
  world = await startSimulator({ workflows: [] });
  world.app.readers.answerInProcess(findInProcess(world.simulator));
});
afterEach(() => world.simulator.stop());

const fhirReader = (fields: Parameters<typeof fhirEvent>[0] = {}) =>
  world.app.readers.of(fhirEvent({ host: FHIR_HOST, resourceId: 'p1', ...fields }), signal) as FhirReader<'Patient'>;
const dicomReader = (fields: Parameters<typeof dicomEvent>[0] = {}) => {
  const uids = { studyUid: '1.2.3.4', seriesUid: '1.2.3.4.5', instanceUid: '1.2.3.4.5.100' };
  return world.app.readers.of(dicomEvent({ host: DICOM_HOST, ...uids, ...fields }), signal) as DicomReader;
};
const mainServices = () => world.simulator.services('main') as NonNullable<ReturnType<typeof world.simulator.services>>;
const scenario = () =>
  createWorld({ services: mainServices(), random: systemRandom, clock: systemClock, left: () => 0 });
const put = (resource: Record<string, unknown>) => scenario().update(resource as never);

describe('when a handler reads a resource of the simulator', () => {
  it('given versions, then the handler reads the current one and that of the event', async () => {
    put({ resourceType: 'Patient', id: 'p1', birthDate: '1970-01-01' });
    put({ resourceType: 'Patient', id: 'p1', birthDate: '1970-02-02' });

    expect(await fhirReader({ version: 1 }).version()).toMatchObject({ birthDate: '1970-01-01' });
    expect(await fhirReader({ version: 1 }).current()).toMatchObject({
      birthDate: '1970-02-02',
      meta: { versionId: '2' },
    });
  });

  it('given a deleted resource, then it is gone, and the version before can be read', async () => {
    put({ resourceType: 'Patient', id: 'p1', active: true });
    scenario().remove('Patient', 'p1');

    expect(await fhirReader({ change: 'deleted', version: 2 } as never).current()).toBeUndefined();
    expect(await fhirReader({ change: 'deleted', version: 2 } as never).version()).toBeUndefined();
    expect(await fhirReader({ version: 1 }).version()).toMatchObject({ active: true });
    expect(await fhirReader().read('Patient', 'never-was')).toBeUndefined();
  });

  it('given reads at the same time, then one batch answers them as single reads are answered', async () => {
    put({ resourceType: 'Patient', id: 'p1', birthDate: '1970-01-01' });
    put({ resourceType: 'Patient', id: 'p1', birthDate: '1970-02-02' });
    put({ resourceType: 'Patient', id: 'p2', active: true });
    scenario().remove('Patient', 'p2');
    const asked: string[] = [];
    const find = findInProcess(world.simulator);
    world.app.readers.answerInProcess((kind, host) => (request) => {
      asked.push(request.method);
      return find(kind, host)?.(request) ?? { status: 404 };
    });
    const reads = [
      () => fhirReader({ version: 1 }).version(),
      () => fhirReader().current(),
      () => fhirReader({ resourceId: 'p2' }).current(),
      () => fhirReader({ resourceId: 'p2', version: 1 }).version(),
      () => fhirReader({ resourceId: 'p2', version: 9 }).version(),
      () => fhirReader().read('Patient', 'never-was'),
    ];

    const inBatch = await Promise.all(reads.map((read) => read()));

    expect(asked).toEqual(['POST']);
    const oneByOne: unknown[] = [];
    for (const read of reads) oneByOne.push(await read());
    expect(asked).toEqual(['POST', ...reads.map(() => 'GET')]);
    expect(inBatch).toEqual(oneByOne);
    expect(inBatch.map((one) => one?.meta?.versionId)).toEqual(['1', '2', undefined, '1', undefined, undefined]);
  });

  it('given a search over several pages, then it returns all matches', async () => {
    for (let i = 0; i < 25; i += 1) put({ resourceType: 'Patient', id: `p${i}`, gender: i % 2 ? 'female' : 'male' });
    const ids = new Set<string | undefined>();
    for await (const { id } of fhirReader().search('Patient', { _count: 4 })) ids.add(id);
    expect(ids.size).toBe(25);
    expect(world.app.telemetry.counters.fhirReadsDone).toBe(7);
  });

  it('given ids made to lead to other paths, then they are gone, or refused', async () => {
    put({ resourceType: 'Patient', id: 'p1' });
    for (const id of ['../Patient/p1', 'p1/_history/1', 'p1?_format=xml', '%70%31']) {
      const found = await fhirReader()
        .read('Patient', id)
        .catch((error: Error) => error);
      expect(found).not.toMatchObject({ resourceType: 'Patient' });
    }
  });
});

describe('when the change feed of the simulator is read in this process', () => {
  it.each([
    { path: 'v1/changefeed', limit: '101', status: 400 },
    { path: 'v1/changefeed', limit: '100', status: 200 },
    { path: 'v2/changefeed', limit: '101', status: 200 },
    { path: 'v1/studies', limit: '1', status: 404 },
  ])('given $path with limit $limit, then $status', ({ path, limit, status }) => {
    mainServices();
    const answer = findInProcess(world.simulator)('dicom', DICOM_HOST);

    const request = { method: 'GET', path, query: new URLSearchParams({ limit }) } as const;
    expect(answer?.({ ...request, headers: new Headers(), body: Buffer.of() })).toMatchObject({ status });
  });
});

describe('when a handler reads an image of the simulator', () => {
  beforeEach(() => {
    const { dicom } = mainServices();
    expect(storeFile(dicom, fileOf())).toMatchObject({ status: 'stored' });
    const second = fileOf({ '00080018': { vr: 'UI', Value: ['1.2.3.4.5.101'] } });
    expect(storeFile(dicom, second)).toMatchObject({ status: 'stored' });
  });

  it('given its metadata, then they are DICOM JSON', async () => {
    expect(await dicomReader().instance()).toMatchObject({ '00100020': { vr: 'LO', Value: ['P1'] } });
    expect(await dicomReader().series()).toHaveLength(2);
    expect(await dicomReader().study()).toHaveLength(2);
    expect(await dicomReader({ instanceUid: '1.2.3.9' }).instance()).toBeUndefined();
    expect(await dicomReader({ studyUid: '1.2.9' }).study()).toEqual([]);
  });

  it('given its frames, then they are the pixels as stored', async () => {
    const pixels: number[] = [];
    for await (const { contentType, content } of (await dicomReader().frames([1])) ?? []) {
      expect(contentType).toContain('application/octet-stream');
      for await (const bytes of content) pixels.push(...bytes);
    }
    expect(pixels).toEqual([1, 0, 2, 0, 3, 0, 4, 0]);
    expect(await dicomReader().frames([2])).toBeUndefined();
  });

  it('given a partition, then its images are read', async () => {
    storeFile(mainServices().dicom, fileOf(), 'clinic-b');
    expect(await dicomReader({ partition: 'clinic-b' }).study()).toHaveLength(1);
    expect(await dicomReader({ partition: 'Microsoft.Default' }).study()).toHaveLength(2);
  });

  it('given a rendered image, then the error says that the simulator renders none', async () => {
    expect(await failureOf(dicomReader().rendered())).toMatchObject({ code: 'dicom-server-error' });
  });
});

describe('when an event names a host of the simulator', () => {
  it('given an unknown or removed service, then all is gone, and no service is made', async () => {
    put({ resourceType: 'Patient', id: 'p1' });
    const host = 'simulator-clinic-b.fhir.azurehealthcareapis.com';
    expect(await fhirReader({ host }).current()).toBeUndefined();
    expect(world.simulator.serviceNames()).toEqual(['main']);
  });

  it.each(['main.fhir.azurehealthcareapis.com', 'simulator-main.fhir.azurehealthcareapis.com.example', DICOM_HOST])(
    'given the unknown host %s, then it is not listed, and no service is made',
    async (host) => {
      put({ resourceType: 'Patient', id: 'p1' });
      expect(await failureOf(fhirReader({ host }).current())).toMatchObject({ code: 'host-not-listed' });
      expect(world.simulator.serviceNames()).toEqual(['main']);
    },
  );

  it('given a simulator registered with the app, then it is read without a token, and no other host is read', async () => {
    const { app } = composeMemoryApp();
    const event = fhirEvent({ host: FHIR_HOST, resourceId: 'p1' });
    expect(await failureOf((app.readers.of(event, signal) as FhirReader).current())).toMatchObject({
      code: 'host-not-listed',
    });

    const functions = createFakeFunctions();
    await registerSimulator(functions.app, app, systemRandom);
    const request = new HttpRequest({
      method: 'PUT',
      url: 'http://localhost:7071/api/simulator/fhir/Patient/p1',
      headers: { 'content-type': 'application/fhir+json' },
      body: { string: '{"resourceType":"Patient","id":"p1","active":true}' },
    });
    expect(await functions.call('simulatorFhir', request)).toMatchObject({ status: 201 });

    expect(await (app.readers.of(event, signal) as FhirReader).read('Patient', 'p1')).toMatchObject({ active: true });
    await functions.terminate();
  });
});
