import { setImmediate } from 'node:timers/promises';
import dicomParser from 'dicom-parser';
import { BIG_ENDIAN, DEFLATED, EXPLICIT, fileOf, IMPLICIT, JPEG, readFile, uids, without } from './files.js';
import { BASE, bytesOf, jsonOf, openService } from './open-service.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const INSTANCE = 'studies/1.2.3.4/series/1.2.3.4.5/instances/1.2.3.4.5.100';
const NEW_NAME = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Roe^Jane' }] } };
const AS_STORED = { accept: 'application/dicom; transfer-syntax=*' };
const ORIGINAL = { ...AS_STORED, 'msdicom-request-original': 'true' };

function openUpdates(options = {}) {
  const opened = openService(options);
  const update = (body: unknown, url = 'studies/$bulkUpdate') =>
    opened.send('POST', url, { headers: JSON_TYPE, body: JSON.stringify(body) });
  /** Updates the study of `fileOf`, to the end. */
  const change = async (changeDataset: object) => {
    update({ studyInstanceUids: ['1.2.3.4'], changeDataset });
    await setImmediate();
  };
  return { ...opened, update, change };
}

describe('when a study is updated', () => {
  it('given two images, then the operation runs after its answer, and publishes a change for each image', async () => {
    const { store, update, json, get, published, service } = openUpdates();
    store([fileOf(), fileOf(uids('1.2.3.4', '1.2.3.4.5', '1.2.3.4.5.101')), fileOf(uids('1.9', '1.9.1', '1.9.1.1'))]);

    const answer = update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME });

    expect(answer.status).toBe(202);
    const { id, href } = jsonOf(answer);
    expect(href).toBe(`${BASE}/operations/${id}`);
    expect(answer.headers?.location).toBe(href);
    expect(get(`operations/${id}`)).toMatchObject({ status: 202, headers: { location: href } });
    expect(json(`operations/${id}`)).toMatchObject({ operationId: id, type: 'update', status: 'running' });
    expect(published).toHaveLength(3);

    await setImmediate();

    expect(get(`operations/${id}`).status).toBe(200);
    expect(json(`operations/${id}`)).toEqual({
      operationId: id,
      type: 'update',
      createdTime: '2026-01-01T12:00:00.000Z',
      lastUpdatedTime: '2026-01-01T12:00:00.000Z',
      status: 'succeeded',
      percentComplete: 100,
      results: { studyProcessed: 1, studyUpdated: 1, studyFailed: 0, instanceUpdated: 2 },
    });
    expect(
      published.slice(3).map(({ change, instanceUid, sequenceNumber }) => [change, instanceUid, sequenceNumber]),
    ).toEqual([
      ['updated', '1.2.3.4.5.100', 4],
      ['updated', '1.2.3.4.5.101', 5],
    ]);
    const names = { studyUid: '1.2.3.4', seriesUid: '1.2.3.4.5', instanceUid: '1.2.3.4.5.101' };
    expect(service.images.image({ partition: 'Microsoft.Default', ...names })).toMatchObject({ sequenceNumber: 5 });
    expect(json('studies/1.2.3.4/metadata').map((one: typeof NEW_NAME) => one['00100010'])).toEqual([
      NEW_NAME['00100010'],
      NEW_NAME['00100010'],
    ]);
    expect(json('studies?PatientName=Roe%5EJane')).toHaveLength(1);
    expect(get('studies?PatientName=Doe%5EJohn&StudyInstanceUID=1.2.3.4').status).toBe(204);
    expect(json('studies/1.9/metadata')[0]['00100010'].Value).toEqual([{ Alphabetic: 'Doe^John' }]);
  });

  it('given two updates, then the original can still be retrieved', async () => {
    const { store, change, get, json } = openUpdates();
    store([fileOf()]);
    await change(NEW_NAME);
    const { etag = '' } = get(`${INSTANCE}/metadata`).headers ?? {};
    await change({ PatientID: { vr: 'LO', Value: ['P9'] } });

    expect(bytesOf(get(INSTANCE, ORIGINAL))).toEqual(fileOf());
    expect(readFile(bytesOf(get(INSTANCE, AS_STORED)))).toMatchObject({
      '00100010': { Value: [{ Alphabetic: 'Roe^Jane' }] },
      '00100020': { Value: ['P9'] },
    });
    expect(json(`${INSTANCE}/metadata`, { 'msdicom-request-original': 'TRUE' })[0]['00100010'].Value).toEqual([
      { Alphabetic: 'Doe^John' },
    ]);
    expect(get(`${INSTANCE}/metadata`, { 'if-none-match': etag }).status).toBe(200);
    expect(get(`${INSTANCE}/frames/1`).status).toBe(200);
  });

  it.each([EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, JPEG])(
    'given transfer syntax %s, then the file has the new values, and all else is as it was',
    async (syntax) => {
      const { store, change, get } = openUpdates();
      const pixels = { '7FE00010': { vr: 'OB', Value: [Uint8Array.of(1, 2, 3, 4).buffer] } };
      const changed = syntax === JPEG ? pixels : {};
      store([fileOf(changed, syntax)]);

      const changes = { '00100040': { vr: 'CS', Value: ['F'] }, '00100020': { vr: 'LO', Value: ['a longer ID'] } };
      await change({ ...NEW_NAME, ...changes });

      const expected = readFile(fileOf(changed, syntax));
      const found = readFile(bytesOf(get(INSTANCE, AS_STORED)));
      expect(found).toEqual({
        ...expected,
        ...NEW_NAME,
        ...changes,
      });
      expect(Buffer.from(bytesOf(get(INSTANCE, AS_STORED))).includes('Doe^John')).toBe(false);
      expect(found['7FE00010']?.Value?.[0]).toHaveLength(syntax === JPEG ? 8 : 12);
    },
  );

  it('given attributes before the first and after the last of the file, then they are written in the order of tags', async () => {
    const { store, change, get } = openUpdates();
    const tags = '00081140 00100030 00200013 00280002 00280004 00280010 00280011 00280030 00280100 00280101 00280102';
    const few = without(...tags.split(' '), '00280103', '00400244', '7FE00010');
    store([fileOf(few)]);

    await change({ '00403001': { vr: 'LO', Value: ['secret'] }, '00080050': { vr: 'SH' } });

    const found = readFile(bytesOf(get(INSTANCE, AS_STORED)));
    expect(Object.keys(found)).toEqual(Object.keys(found).toSorted());
    expect(found['00403001']?.Value).toEqual(['secret']);
    expect(found['00080050']?.Value).toEqual(['']);
  });

  it.each([
    { given: 'Latin-1', set: 'ISO_IR 100', name: 'Müller', written: 'Müller', setAfter: 'ISO_IR 100' },
    { given: 'UTF-8', set: 'ISO_IR 192', name: '山田^太郎', written: '山田^太郎', setAfter: 'ISO_IR 192' },
    { given: 'ASCII alone', set: undefined, name: '山田^太郎', written: '山田^太郎', setAfter: 'ISO_IR 192' },
    {
      given: 'Latin-1 with text of its own',
      set: 'ISO_IR 100',
      description: 'Schädel',
      name: '山a',
      written: '?a',
      setAfter: 'ISO_IR 100',
    },
  ])('given a file of $given, then it can be read', async ({ set, description = 'Head', name, written, setAfter }) => {
    const { store, change, get, json } = openUpdates();
    store([withDescription(description, set)]);

    await change({ PatientName: { vr: 'PN', Value: [{ Alphabetic: name }] } });

    const file = bytesOf(get(INSTANCE, AS_STORED));
    expect(readFile(file)['00100010']?.Value).toEqual([{ Alphabetic: written }]);
    expect(readFile(file)['00081030']?.Value).toEqual([description]);
    expect(dicomParser.parseDicom(file).string('x00080005')).toBe(setAfter);
    expect(json(`${INSTANCE}/metadata`)[0]['00100010'].Value).toEqual([{ Alphabetic: name }]);
  });

  it('given a wrong value was left out of metadata, then metadata has the new value', async () => {
    const { store, change, json } = openUpdates();
    store([fileOf({ '00100030': { vr: 'DA', Value: ['long ago'] } })]);

    await change({ '00100030': { vr: 'DA', Value: ['19700101'] } });

    expect(json(`${INSTANCE}/metadata`)[0]['00100030'].Value).toEqual(['19700101']);
  });

  it('given an unknown study, then the operation succeeds, and has updated no image', async () => {
    const { update, json, published } = openUpdates();

    const { id } = jsonOf(update({ studyInstanceUids: ['1.9'], changeDataset: NEW_NAME }));
    await setImmediate();

    expect(json(`operations/${id}`)).toMatchObject({
      status: 'succeeded',
      results: { studyProcessed: 1, studyUpdated: 0, instanceUpdated: 0 },
    });
    expect(published).toEqual([]);
  });

  it('given another update runs, then the answer is 409, and the other update goes on', async () => {
    const { store, update, json } = openUpdates();
    store([fileOf()]);

    const { id } = jsonOf(update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME }));
    const second = update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME });
    await setImmediate();

    expect(second.status).toBe(409);
    expect(second.body).toContain(id);
    expect(json(`operations/${id}`).status).toBe('succeeded');
    expect(update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME }).status).toBe(202);
    await setImmediate();
  });

  it('given a service that is cleared before the update runs, then nothing changes', async () => {
    const { store, update, service, get, published } = openUpdates();
    store([fileOf()]);
    const { id } = jsonOf(update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME }));

    service.clear();
    store([fileOf()]);
    await setImmediate();

    expect(published.map(({ change }) => change)).toEqual(['created', 'created']);
    expect(get(`operations/${id}`).status).toBe(404);
  });

  it('given a partition, then its study is updated, and not that of the default one', async () => {
    const { store, update, json } = openUpdates();
    store([fileOf()]);
    store([fileOf()], 'partitions/clinic/studies');

    update({ studyInstanceUids: ['1.2.3.4'], changeDataset: NEW_NAME }, 'partitions/clinic/studies/$bulkUpdate');
    await setImmediate();

    expect(json(`partitions/clinic/${INSTANCE}/metadata`)[0]['00100010']).toEqual(NEW_NAME['00100010']);
    expect(json(`${INSTANCE}/metadata`)[0]['00100010'].Value).toEqual([{ Alphabetic: 'Doe^John' }]);
  });
});

describe('when an update is refused', () => {
  const studyInstanceUids = ['1.2.3.4'];
  const changing = (tag: string, attribute: object) => ({ studyInstanceUids, changeDataset: { [tag]: attribute } });

  it.each([
    { given: 'no JSON', body: '{' },
    { given: 'an array', body: '[]' },
    { given: 'no studies', body: { changeDataset: NEW_NAME } },
    { given: 'an empty list of studies', body: { studyInstanceUids: [], changeDataset: NEW_NAME } },
    { given: '51 studies', body: { studyInstanceUids: Array(51).fill('1.2'), changeDataset: NEW_NAME } },
    { given: 'a study that is no UID', body: { studyInstanceUids: ['abc'], changeDataset: NEW_NAME } },
    { given: 'no data set', body: { studyInstanceUids } },
    { given: 'a value that is no array', body: changing('00100020', { vr: 'LO', Value: 'P9' }) },
    { given: 'a name that is text', body: changing('00100010', { vr: 'PN', Value: ['Roe'] }) },
    { given: 'another VR', body: changing('00100040', { vr: 'LO', Value: ['F'] }) },
    { given: 'an unknown keyword', body: changing('Patient', { vr: 'LO', Value: ['P9'] }) },
  ])('given $given, then the answer is 400, and nothing changes', async ({ body }) => {
    const { store, send, published } = openUpdates();
    store([fileOf()]);

    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = send('POST', 'studies/$bulkUpdate', { headers: JSON_TYPE, body: sent });
    await setImmediate();

    expect(answer.status).toBe(400);
    expect(String(answer.body).length).toBeGreaterThan(10);
    expect(published).toHaveLength(1);
  });

  it('given attributes or values that are not allowed, then the answer names each of them', () => {
    const { update } = openUpdates();

    const changeDataset = { ...NEW_NAME, '00080060': { vr: 'CS', Value: ['MR'] } };
    const notAllowed = update({ studyInstanceUids, changeDataset });
    const wrongValue = update(changing('00100030', { vr: 'DA', Value: ['soon'] }));

    expect(notAllowed.status).toBe(400);
    expect(jsonOf(notAllowed)['00741048'].Value).toEqual([
      { '00000902': { vr: 'LO', Value: ['DICOM100: (0008,0060) - Updating the tag is not supported'] } },
    ]);
    expect(wrongValue.status).toBe(400);
    expect(jsonOf(wrongValue)['00741048'].Value[0]['00000902'].Value[0]).toMatch(/\(0010,0030\) - Content "soon"/);
  });

  it('given another content type, then the answer is 415', () => {
    const xml = { headers: { 'content-type': 'text/xml' }, body: '<a/>' };

    expect(openUpdates().send('POST', 'studies/$bulkUpdate', xml).status).toBe(415);
  });

  it('given an unknown operation, then the answer is 404', () => {
    expect(openUpdates().get('operations/0123456789abcdef0123456789abcdef').status).toBe(404);
  });
});

/** dcmjs writes UTF-8 alone: where the file is to be in Latin-1, its bytes are put over others. */
function withDescription(description: string, set: string | undefined): Uint8Array {
  const ascii = description.replace(/[^ -~]/g, '~');
  const file = fileOf({
    ...(set && { '00080005': { vr: 'CS', Value: [set] } }),
    '00081030': { vr: 'LO', Value: [ascii] },
  });
  file.set(Buffer.from(description, 'latin1'), Buffer.from(file).indexOf(ascii));
  return file;
}
