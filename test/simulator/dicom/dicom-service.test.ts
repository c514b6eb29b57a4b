import { writePart10 } from '../../../src/simulator/dicom/write-part10.js';
import { fileOf } from './files.js';
import { BASE, jsonOf, openService, storeFile } from './open-service.js';

const INSTANCE = 'studies/1.2.3.4/series/1.2.3.4.5/instances/1.2.3.4.5.100';
const uids = { studyUid: '1.2.3.4', seriesUid: '1.2.3.4.5', instanceUid: '1.2.3.4.5.100' };

describe('when partitions are used', () => {
  it('given a store into a new partition, then the partition exists, with only these images', () => {
    const { store, json, get, published, clock } = openService();
    clock.advance(1000);

    const answer = store([fileOf()], 'partitions/clinic-1/studies');

    expect(answer.status).toBe(200);
    expect(jsonOf(answer)['00081199'].Value[0]['00081190'].Value).toEqual([`${BASE}/partitions/clinic-1/${INSTANCE}`]);
    expect(published[0]?.partition).toBe('clinic-1');
    expect(json('partitions')).toEqual([
      { partitionKey: 1, partitionName: 'Microsoft.Default', createdDate: '2026-01-01T12:00:00.000Z' },
      { partitionKey: 2, partitionName: 'clinic-1', createdDate: '2026-01-01T12:00:01.000Z' },
    ]);
    expect(get(`${INSTANCE}/metadata`).status).toBe(404);
    expect(get(`partitions/clinic-1/${INSTANCE}/metadata`).status).toBe(200);
    expect(json('partitions/clinic-1/studies')).toHaveLength(1);
    expect(get('studies').status).toBe(204);
    expect(store([fileOf()]).status).toBe(200);
  });

  it('given the default partition by its name, then it is that of paths without a name', () => {
    const { store, get } = openService();
    store([fileOf()]);

    expect(get(`partitions/Microsoft.Default/${INSTANCE}/metadata`).status).toBe(200);
  });

  it.each([
    { given: 'one that is not there', path: 'partitions/nowhere/studies', status: 400 },
    { given: 'a name with a blank', path: 'partitions/clinic%201/studies', status: 400 },
    { given: 'a name of 65 characters', path: `partitions/${'x'.repeat(65)}/studies`, status: 400 },
    { given: 'no resource in it', path: 'partitions/clinic', status: 404 },
    { given: 'the change feed in it', path: 'partitions/Microsoft.Default/changefeed', status: 404 },
  ])('given $given, then the answer is $status', ({ path, status }) => {
    const { get, store, json } = openService();

    expect(get(path).status).toBe(status);
    if (status === 400 && !path.includes('nowhere')) expect(store([fileOf()], path).status).toBe(400);
    expect(json('partitions')).toHaveLength(1);
  });

  it('given a store that stores nothing, then no partition is made', () => {
    const { store, json } = openService();

    expect(store([new Uint8Array(3)], 'partitions/clinic/studies').status).toBe(409);
    expect(json('partitions')).toHaveLength(1);
  });
});

describe('when a request asks for an unknown resource', () => {
  it.each([
    { method: 'GET', path: '', status: 404 },
    { method: 'GET', path: 'patients', status: 404 },
    { method: 'GET', path: 'v1/studies', status: 404 },
    { method: 'GET', path: `${INSTANCE}/bulkdata`, status: 404 },
    { method: 'PUT', path: 'studies', status: 405 },
    { method: 'DELETE', path: 'studies', status: 405 },
    { method: 'POST', path: 'changefeed', status: 405 },
    { method: 'GET', path: 'studies/$bulkUpdate', status: 405 },
    { method: 'GET', path: `${INSTANCE}/rendered`, status: 501 },
    { method: 'GET', path: `${INSTANCE}/frames/1/rendered`, status: 501 },
    { method: 'GET', path: 'extendedquerytags', status: 501 },
    { method: 'PUT', path: 'partitions/Microsoft.Default/workitems/1.2/state', status: 501 },
    { method: 'POST', path: 'export', status: 501 },
  ])('given $method of "$path", then the answer is $status, and says why', ({ method, path, status }) => {
    const answer = openService().send(method, path);

    expect(answer.status).toBe(status);
    expect(String(answer.body).length).toBeGreaterThan(10);
    if (status === 405) expect(answer.headers?.allow).toBeTruthy();
  });

  it('given a slash at the end of a path, then the answer is the same', () => {
    expect(openService().get('studies/').status).toBe(204);
  });

  it('given any request, then the answer has the version of the API', () => {
    const { get } = openService();

    expect(get('studies').headers?.['api-supported-versions']).toBe('2.0');
    expect(get('nothing').headers?.['api-supported-versions']).toBe('2.0');
  });
});

describe('when a scenario uses it without HTTP', () => {
  it('given a file, then it is stored once', () => {
    const { service, published } = openService();

    expect(storeFile(service, fileOf())).toMatchObject({
      status: 'stored',
      entry: { sequenceNumber: 1 },
      problems: [],
    });
    expect(storeFile(service, fileOf())).toMatchObject({ status: 'duplicate' });
    expect(storeFile(service, fileOf(), 'clinic')).toMatchObject({ status: 'stored', entry: { sequenceNumber: 2 } });
    expect(storeFile(service, new Uint8Array(10))).toMatchObject({ status: 'refused', reason: 43264 });
    expect(published.map(({ partition }) => partition)).toEqual(['Microsoft.Default', 'clinic']);
    expect(service.images.image({ partition: 'clinic', ...uids })).toMatchObject({ sequenceNumber: 2 });
    expect(service.images.image({ partition: 'clinic', ...uids, instanceUid: '3' })).toBeUndefined();
  });

  it('given a data set as JSON, then the file made of it can be stored', () => {
    const { service, json } = openService();
    const dataset = {
      '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
      '00080018': { vr: 'UI', Value: [uids.instanceUid] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jörg', Ideographic: '山田' }] },
      '00100020': { vr: 'LO', Value: ['P1'] },
      '0020000D': { vr: 'UI', Value: [uids.studyUid] },
      '0020000E': { vr: 'UI', Value: [uids.seriesUid] },
      '00200013': { vr: 'IS', Value: [3] },
    };

    expect(storeFile(service, writePart10(dataset))).toMatchObject({ status: 'stored', problems: [] });
    expect(json(`${INSTANCE}/metadata`)).toEqual([{ ...dataset, '00080005': { vr: 'CS', Value: ['ISO_IR 192'] } }]);
  });
});

describe('when everything is forgotten', () => {
  it('given images, then none is left, and the sequence numbers of new images continue', () => {
    const { service, store, json, get } = openService();
    store([fileOf()], 'partitions/clinic/studies');

    service.clear();

    expect(service.counts).toEqual({ partitions: 1, studies: 0, series: 0, images: 0, bytes: 0 });
    expect(json('changefeed')).toEqual([]);
    expect(get('changefeed/latest').status).toBe(204);
    store([fileOf()]);
    expect(json('changefeed').map(({ sequence }: { sequence: number }) => sequence)).toEqual([2]);
  });
});
