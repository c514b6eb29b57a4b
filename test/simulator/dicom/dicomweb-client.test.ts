import { api } from 'dicomweb-client';
import { serve } from '../serve.js';
import { fileOf, JPEG, uids } from './files.js';
import { openService } from './open-service.js';
import { FetchedXmlHttpRequest } from './xml-http-request.js';

const study = { studyInstanceUID: '1.2.3.4' };
const series = { ...study, seriesInstanceUID: '1.2.3.4.5' };
const instance = { ...series, sopInstanceUID: '1.2.3.4.5.100' };

const first = fileOf();
const second = fileOf(uids('1.2.3.4', '1.2.3.4.5', '1.2.3.4.5.101'));
const third = fileOf(uids('1.2.3.4', '1.2.3.4.6', '1.2.3.4.6.100'));
const bufferOf = (file: Uint8Array) => new Uint8Array(file).buffer;
const bytesOf = (buffer: unknown) => new Uint8Array(buffer as ArrayBuffer);

let opened: ReturnType<typeof openService>;
let server: Awaited<ReturnType<typeof serve>>;
let client: InstanceType<typeof api.DICOMwebClient>;

beforeEach(async () => {
  Object.assign(globalThis, { XMLHttpRequest: FetchedXmlHttpRequest });
  opened = openService();
  server = await serve(opened.service, '/dicom/v2');
  client = new api.DICOMwebClient({ url: server.url, singlepart: false, headers: {}, verbose: false } as never);
});

afterEach(async () => {
  await server.close();
  Object.assign(globalThis, { XMLHttpRequest: undefined });
});

describe('when dicomweb-client stores', () => {
  it('given three images, then all are stored and published', async () => {
    await client.storeInstances({ datasets: [first, second, third].map(bufferOf) } as never);

    const stored = opened.published.map(({ instanceUid }) => instanceUid).join(' ');
    expect(stored).toBe('1.2.3.4.5.100 1.2.3.4.5.101 1.2.3.4.6.100');
    expect(opened.service.counts).toMatchObject({ studies: 1, series: 2, images: 3 });
  });

  it('given an image of another study than it names, then the client gets the failure', async () => {
    const stored = client.storeInstances({ studyInstanceUID: '1.9', datasets: [bufferOf(first)] } as never);

    await expect(stored).rejects.toMatchObject({ status: 409 });
    expect(opened.published).toEqual([]);
  });
});

describe('when dicomweb-client reads', () => {
  beforeEach(() => void opened.store([first, second, third]));

  it('given searches, then they find studies, series and images', async () => {
    const studies = await client.searchForStudies({ queryParams: { PatientID: 'P1', limit: 10 } } as never);
    const allSeries = await client.searchForSeries({ ...study, queryParams: { Modality: 'CT' } } as never);
    const queryParams = { includefield: 'InstanceNumber' };
    const images = await client.searchForInstances({ ...series, queryParams } as never);
    const none = await client.searchForStudies({ queryParams: { PatientID: 'nobody' } } as never);

    expect(studies).toMatchObject([{ '0020000D': { Value: ['1.2.3.4'] } }]);
    expect(allSeries).toHaveLength(2);
    expect(images).toMatchObject([{ '00200013': { Value: [7] } }, { '00080018': { Value: ['1.2.3.4.5.100'] } }]);
    expect(none).toEqual([]);
  });

  it('given metadata, then the client gets it', async () => {
    expect(await client.retrieveStudyMetadata(study as never)).toHaveLength(3);
    expect(await client.retrieveSeriesMetadata(series as never)).toHaveLength(2);
    const metadata = (await client.retrieveInstanceMetadata(instance as never)) as unknown;
    expect([metadata].flat()[0]).toMatchObject({ '00100010': { Value: [{ Alphabetic: 'Doe^John' }] } });
  });

  it('given files, then the client gets each byte for byte', async () => {
    const ofStudy = (await client.retrieveStudy(study as never)) as unknown as unknown[];
    const ofSeries = (await client.retrieveSeries(series as never)) as unknown as unknown[];
    const one = await client.retrieveInstance(instance as never);

    expect(ofStudy.map(bytesOf)).toEqual([first, second, third]);
    expect(ofSeries.map(bytesOf)).toEqual([first, second]);
    expect(bytesOf(one)).toEqual(first);
  });

  it('given frames, then the client gets their pixels', async () => {
    const options = { ...instance, frameNumbers: [1] } as never;
    const frames = (await client.retrieveInstanceFrames(options)) as unknown as unknown[];

    expect(frames.map(bytesOf)).toEqual([Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0)]);
  });

  it('given compressed frames that the client accepts, then it gets them as stored', async () => {
    const jpegs = [Uint8Array.of(0xff, 0xd8, 1, 1), Uint8Array.of(0xff, 0xd8, 2, 2)];
    const pixels = { '00280008': { vr: 'IS', Value: ['2'] }, '7FE00010': { vr: 'OB', Value: jpegs.map(bufferOf) } };
    opened.store([fileOf({ ...uids('1.5', '1.5.1', '1.5.1.1'), ...pixels }, JPEG)]);
    const image = { studyInstanceUID: '1.5', seriesInstanceUID: '1.5.1', sopInstanceUID: '1.5.1.1' };
    const options = { ...image, frameNumbers: [1, 2] };
    const mediaTypes = [{ mediaType: 'application/octet-stream', transferSyntaxUID: '*' }];

    const frames = (await client.retrieveInstanceFrames({ ...options, mediaTypes } as never)) as unknown as unknown[];

    expect(frames.map(bytesOf)).toEqual(jpegs);
    await expect(client.retrieveInstanceFrames(options as never)).rejects.toMatchObject({ status: 406 });
  });

  it('given an unknown image, then the client gets 404', async () => {
    const retrieved = client.retrieveStudy({ studyInstanceUID: '1.9' } as never);

    await expect(retrieved).rejects.toMatchObject({ status: 404 });
  });
});
