import { BIG_ENDIAN, CT_IMAGE, DEFLATED, EXPLICIT, fileOf, IMPLICIT, JPEG, uids, without } from './files.js';
import { BASE, jsonOf, multipartOf, openService } from './open-service.js';

const INSTANCE = 'studies/1.2.3.4/series/1.2.3.4.5/instances/1.2.3.4.5.100';

const second = fileOf(uids('1.2.3.4', '1.2.3.4.5', '1.2.3.4.5.101'));

/** The comment of the first failure in the answer. */
const commentOf = (answer: Parameters<typeof jsonOf>[0]): string =>
  jsonOf(answer)['00081198'].Value[0]['00741048'].Value[0]['00000902'].Value[0];

/** Failure reasons in the answer, by UID of the instance. */
function failuresOf(answer: Parameters<typeof jsonOf>[0]): Record<string, number> {
  const items: { '00081155'?: { Value: string[] }; '00081197': { Value: number[] } }[] =
    jsonOf(answer)['00081198']?.Value ?? [];
  return Object.fromEntries(
    items.map((item, at) => [item['00081155']?.Value[0] ?? `unknown ${at}`, item['00081197'].Value[0] ?? 0]),
  );
}

describe('when an image is stored', () => {
  it('given a new image, then the answer has its URL, and its change is published', () => {
    const { store, published, clock } = openService();

    const answer = store([fileOf()]);

    expect(answer.status).toBe(200);
    expect(answer.headers?.['content-type']).toBe('application/dicom+json; charset=utf-8');
    expect(jsonOf(answer)).toEqual({
      '00081199': {
        vr: 'SQ',
        Value: [
          {
            '00081150': { vr: 'UI', Value: [CT_IMAGE] },
            '00081155': { vr: 'UI', Value: ['1.2.3.4.5.100'] },
            '00081190': { vr: 'UR', Value: [`${BASE}/${INSTANCE}`] },
            '00741048': { vr: 'SQ' },
          },
        ],
      },
    });
    expect(published).toEqual([
      {
        service: 'dicom',
        change: 'created',
        host: 'test.dicom.azurehealthcareapis.com',
        partition: 'Microsoft.Default',
        studyUid: '1.2.3.4',
        seriesUid: '1.2.3.4.5',
        instanceUid: '1.2.3.4.5.100',
        sequenceNumber: 1,
        at: clock.now(),
      },
    ]);
  });

  it.each(['application/dicom', `application/dicom; transfer-syntax=${EXPLICIT}`])(
    'given it comes as a whole body of %s, then it is stored',
    (type) => {
      const { send, service } = openService();

      expect(send('POST', 'studies', { headers: { 'content-type': type }, body: fileOf() }).status).toBe(200);
      expect(service.counts.images).toBe(1);
    },
  );

  it.each([
    { syntax: EXPLICIT, status: 200, warning: undefined },
    { syntax: DEFLATED, status: 200, warning: undefined },
    { syntax: BIG_ENDIAN, status: 200, warning: undefined },
    { syntax: JPEG, status: 200, warning: undefined },
    { syntax: IMPLICIT, status: 202, warning: 45063 },
  ])(
    'given transfer syntax $syntax, then the answer is $status with warning $warning',
    ({ syntax, status, warning }) => {
      const { store, json } = openService();
      const pixels = { '7FE00010': { vr: 'OB', Value: [Uint8Array.of(1, 2, 3, 4).buffer] } };

      const answer = store([fileOf(syntax === JPEG ? pixels : {}, syntax)]);

      expect(answer.status).toBe(status);
      expect(jsonOf(answer)['00081199'].Value[0]['00081196']?.Value[0]).toBe(warning);
      expect(json(`${INSTANCE}/metadata`)[0]).toMatchObject({
        '00080060': { vr: 'CS', Value: ['CT'] },
        '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3.9'] } }, {}] },
        '00280010': { vr: 'US', Value: [2] },
        '00280030': { vr: 'DS', Value: [0.5, 0.25] },
      });
    },
  );

  it('given a study in the path, then the answer names it', () => {
    const { store } = openService();

    const answer = store([fileOf()], 'studies/1.2.3.4');

    expect(jsonOf(answer)['00081190']).toEqual({ vr: 'UR', Value: [`${BASE}/studies/1.2.3.4`] });
  });

  it('given a stored image, then nothing changes', () => {
    const { store, service, published, json } = openService();
    store([fileOf()]);

    const answer = store([fileOf({ '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Other' }] } })]);

    expect(answer.status).toBe(409);
    expect(failuresOf(answer)).toEqual({ '1.2.3.4.5.100': 45070 });
    expect(published).toHaveLength(1);
    expect(service.counts).toMatchObject({ images: 1 });
    expect(json(`${INSTANCE}/metadata`)[0]['00100010'].Value).toEqual([{ Alphabetic: 'Doe^John' }]);
  });

  it('given an image that was deleted, then it is stored as a new one', () => {
    const { store, remove, published } = openService();
    store([fileOf()]);
    remove(INSTANCE);

    expect(store([fileOf()]).status).toBe(200);
    expect(published.map(({ change, sequenceNumber }) => [change, sequenceNumber])).toEqual([
      ['created', 1],
      ['deleted', 2],
      ['created', 3],
    ]);
  });
});

describe('when several images are stored at once', () => {
  it('given new images, then all of them are stored', () => {
    const { store, published } = openService();

    expect(store([fileOf(), second]).status).toBe(200);
    expect(published.map(({ instanceUid }) => instanceUid)).toEqual(['1.2.3.4.5.100', '1.2.3.4.5.101']);
  });

  it('given an image twice, then it is stored once', () => {
    const { store, published } = openService();

    const answer = store([fileOf(), fileOf()]);

    expect(answer.status).toBe(202);
    expect(failuresOf(answer)).toEqual({ '1.2.3.4.5.100': 45070 });
    expect(published).toHaveLength(1);
  });

  it('given an image of another study than the path names, then that image is not stored', () => {
    const { store, service } = openService();
    const other = fileOf(uids('1.9', '1.9.1', '1.9.1.1'));

    const answer = store([fileOf(), other], 'studies/1.2.3.4');

    expect(answer.status).toBe(202);
    expect(failuresOf(answer)).toEqual({ '1.9.1.1': 43265 });
    expect(service.counts.images).toBe(1);
    expect(store([other], 'studies/1.2.3.4').status).toBe(409);
  });

  it.each([
    { given: 'an empty one', bad: new Uint8Array() },
    { given: 'one cut off', bad: fileOf().subarray(0, 500) },
    { given: 'one that is no DICOM', bad: Buffer.from('{"resourceType":"Patient"}'.repeat(20)) },
    {
      given: 'no meta information',
      bad: Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), fileOf().subarray(332)]),
    },
    { given: 'one whose inflating fails', bad: fileOf({}, DEFLATED).subarray(0, 400) },
  ])('given $given among them, then the others are stored', ({ bad }) => {
    const { store, service } = openService();

    const answer = store([fileOf(), bad, second]);

    expect(answer.status).toBe(202);
    expect(failuresOf(answer)).toEqual({ 'unknown 0': 43264 });
    expect(commentOf(answer)).toMatch(/not a whole DICOM file/);
    expect(service.counts.images).toBe(2);
  });
});

describe('when an attribute is wrong', () => {
  const wrongDate = { '00080020': { vr: 'DA', Value: ['NotADate'] } };

  it('given an attribute that is not needed, then the image is stored with a warning, and metadata leaves the attribute out', () => {
    const { store, json, get } = openService();

    const answer = store([fileOf(wrongDate)]);

    expect(answer.status).toBe(202);
    const [item] = jsonOf(answer)['00081199'].Value;
    expect(item['00081196']).toEqual({ vr: 'US', Value: [1] });
    expect(item['00741048'].Value[0]['00000902'].Value).toEqual([
      'DICOM100: (0008,0020) - Content "NotADate" does not validate VR DA: one of the date values does not match the pattern YYYYMMDD',
    ]);
    expect(json(`${INSTANCE}/metadata`)[0]['00080020']).toBeUndefined();
    expect(json('studies')[0]['00080020']).toBeUndefined();
    expect(get('studies?StudyDate=20200101-').status).toBe(204);
  });

  it('given an attribute in a sequence, then the sequence stays in metadata', () => {
    const { store, json } = openService();
    const sequence = { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['01.2'] } }] };

    expect(store([fileOf({ '00081140': sequence })]).status).toBe(202);
    expect(json(`${INSTANCE}/metadata`)[0]['00081140'].Value).toEqual([{ '00081155': { vr: 'UI', Value: ['01.2'] } }]);
  });

  it.each([
    { given: 'text of only zeros at its end', changed: { '00080060': { vr: 'CS', Value: ['CT\0'] } }, status: 200 },
    { given: 'lower case in a code', changed: { '00080060': { vr: 'CS', Value: ['ct'] } }, status: 202 },
    { given: 'a name of six components', changed: { '00100010': { vr: 'PN', Value: ['a^b^c^d^e^f'] } }, status: 202 },
    { given: 'a name in four scripts', changed: { '00100010': { vr: 'PN', Value: ['a=b=c=d'] } }, status: 202 },
    { given: 'an hour after midnight', changed: { '00080030': { vr: 'TM', Value: ['250000'] } }, status: 202 },
    { given: 'a day that no month has', changed: { '00080020': { vr: 'DA', Value: ['20250230'] } }, status: 202 },
    { given: 'an age without its unit', changed: { '00101010': { vr: 'AS', Value: ['45'] } }, status: 202 },
    { given: 'a number that is none', changed: { '00101030': { vr: 'DS', Value: ['heavy'] } }, status: 202 },
    { given: 'a small number', changed: { '00101030': { vr: 'DS', Value: ['1.2345678901E-05'] } }, status: 200 },
    { given: 'a long number', changed: { '00101030': { vr: 'DS', Value: ['0.12345678901234567'] } }, status: 202 },
    { given: 'an empty patient ID', changed: { '00100020': { vr: 'LO', Value: [''] } }, status: 202 },
    { given: 'a leading zero in a UID', changed: uids('1.02.3', '1.02.3.1', '1.02.3.1.1'), status: 202 },
    { given: 'an empty attribute', changed: { '00080050': { vr: 'SH', Value: [] } }, status: 200 },
  ])('given $given, then the answer is $status', ({ changed, status }) => {
    const { store } = openService();

    expect(store([fileOf(changed)]).status).toBe(status);
  });

  it('given several wrong values of one attribute, then the problem names the first', () => {
    const { store } = openService();
    const sequence = { vr: 'SQ', Value: ['01.2', '01.3'].map((uid) => ({ '00081155': { vr: 'UI', Value: [uid] } })) };

    const [item] = jsonOf(store([fileOf({ '00081140': sequence })]))['00081199'].Value;

    expect(item['00741048'].Value).toHaveLength(1);
    expect(item['00741048'].Value[0]['00000902'].Value[0]).toContain('"01.2"');
  });

  it('given a leading zero in a UID, then metadata and queries have it all the same', () => {
    const { store, json } = openService();
    store([fileOf(uids('1.02', '1.02.1', '1.02.1.1'))]);

    expect(json('studies/1.02/metadata')[0]['0020000D']).toEqual({ vr: 'UI', Value: ['1.02'] });
    expect(json('studies?StudyInstanceUID=1.02')).toHaveLength(1);
  });

  it.each([
    { given: 'no UID of the study', changed: without('0020000D') },
    { given: 'no UID of the series', changed: without('0020000E') },
    { given: 'no UID of its own', changed: without('00080018') },
    { given: 'no SOP class', changed: without('00080016') },
    { given: 'no patient ID', changed: without('00100020') },
    { given: 'letters in a UID', changed: uids('1.2.abc', '1.2', '1.3') },
    { given: 'two UIDs of the study', changed: { '0020000D': { vr: 'UI', Value: ['1.2', '1.3'] } } },
    { given: 'a UID of 65 characters', changed: uids(`1.${'2'.repeat(63)}`, '1.2', '1.3') },
    { given: 'a patient ID of 65 characters', changed: { '00100020': { vr: 'LO', Value: ['x'.repeat(65)] } } },
    { given: 'a patient ID of another VR', changed: { '00100020': { vr: 'SH', Value: ['P1'] } } },
  ])('given $given, then the image is refused, and nothing changes', ({ changed }) => {
    const { store, service, published } = openService();

    const answer = store([fileOf(changed)]);

    expect(answer.status).toBe(409);
    expect(Object.values(failuresOf(answer))).toEqual([43264]);
    expect(jsonOf(answer)['00081198'].Value[0]['00741048'].Value.length).toBeGreaterThan(0);
    expect(service.counts).toMatchObject({ images: 0, bytes: 0 });
    expect(published).toEqual([]);
  });
});

describe('when the request itself is wrong', () => {
  const valid = multipartOf([fileOf()]);

  it.each([
    { given: 'JSON', headers: { 'content-type': 'application/json' }, status: 415 },
    { given: 'no content type', headers: {}, status: 415 },
    { given: 'a form', headers: { 'content-type': 'multipart/form-data; boundary=limit' }, status: 415 },
    { given: 'no boundary', headers: { 'content-type': 'multipart/related; type="application/dicom"' }, status: 415 },
    { given: 'another boundary', headers: { 'content-type': 'multipart/related; boundary=other' }, status: 400 },
    { given: 'a start', headers: { 'content-type': 'multipart/related; boundary=limit; start="<1>"' }, status: 400 },
    { given: 'an answer wanted as XML', headers: { ...valid.headers, accept: 'application/dicom+xml' }, status: 406 },
    { given: 'an answer wanted as JSON', headers: { ...valid.headers, accept: 'application/json' }, status: 200 },
    { given: 'any answer wanted', headers: { ...valid.headers, accept: 'text/html, */*;q=0.1' }, status: 200 },
  ])('given $given, then the answer is $status', ({ headers, status }) => {
    const { send, service } = openService();

    const answer = send('POST', 'studies', { headers: headers as Record<string, string>, body: valid.body });

    expect(answer.status).toBe(status);
    expect(service.counts.images).toBe(status === 200 ? 1 : 0);
  });

  it.each([
    { given: 'no part', body: '--limit--', status: 204 },
    { given: 'no part, as .NET writes it', body: '--limit\r\n\r\n--limit--\r\n', status: 204 },
    { given: 'an empty part', body: '--limit\r\nContent-Type: application/dicom\r\n\r\n\r\n--limit--', status: 409 },
    { given: 'JSON', body: '--limit\r\nContent-Type: application/dicom+json\r\n\r\n[]\r\n--limit--', status: 415 },
    {
      given: 'parts in a part',
      body: '--limit\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n\r\n--x--\r\n--limit--',
      status: 415,
    },
    { given: 'nothing', body: '', status: 400 },
  ])('given $given, then the answer is $status', ({ body, status }) => {
    const { send } = openService();

    expect(send('POST', 'studies', { headers: valid.headers, body }).status).toBe(status);
  });

  it('given a part without an end, then the parts before it are stored', () => {
    const { send, service } = openService();
    const { body, headers } = multipartOf([fileOf(), second]);

    const answer = send('POST', 'studies', { headers, body: (body as Uint8Array).subarray(0, body.length - 20) });

    expect(answer.status).toBe(202);
    expect(failuresOf(answer)).toEqual({ 'unknown 0': 272 });
    expect(service.counts.images).toBe(1);
  });

  it('given a part without headers between two good parts, then the good parts are stored', () => {
    const { send, service } = openService();
    const [before, after] = [fileOf(), second].map((file) => multipartOf([file]).body as Uint8Array);
    const body = Buffer.concat([
      Buffer.from('what is before the parts\r\n'),
      (before as Uint8Array).subarray(0, -'--'.length),
      Buffer.from('\r\ngarbage that is no header\r\n'),
      after as Uint8Array,
      Buffer.from('\r\nwhat is after them'),
    ]);

    const answer = send('POST', 'studies', { headers: valid.headers, body });

    expect(answer.status).toBe(202);
    expect(service.counts.images).toBe(2);
  });

  it('given the boundary stands within a file, then the file is whole', () => {
    const { send, service } = openService();
    const pixels = new Uint8Array(Buffer.from('xx--limit--\r\nxx--limit\r\n\r\n--limitless')).buffer;
    const file = fileOf({ '7FE00010': { vr: 'OB', Value: [pixels] } });

    expect(send('POST', 'studies', multipartOf([file])).status).toBe(200);
    expect(service.counts.bytes).toBe(file.length);
  });

  it('given the first part has no content type, then the content type of the request counts', () => {
    const { send } = openService();
    const head = Buffer.from('--limit\r\nContent-Location: x\r\n\r\n');
    const body = Buffer.concat([head, fileOf(), Buffer.from('\r\n--limit--')]);

    expect(send('POST', 'studies', { headers: valid.headers, body }).status).toBe(200);
  });

  it('given more bytes than a request may have, then the answer is 413 and says the limit', () => {
    const { store } = openService({ maxBodyBytes: 1000 });

    const answer = store([fileOf(), fileOf()]);

    expect(answer.status).toBe(413);
    expect(answer.body).toMatch(/1000 bytes/);
  });

  it('given the path names no UID, then the answer is 400', () => {
    const { store } = openService();

    expect(store([fileOf()], 'studies/abc').status).toBe(400);
    expect(store([fileOf()], `studies/${'1'.repeat(65)}`).status).toBe(400);
  });
});

describe('when memory is full', () => {
  it('given one more image, then it is refused with the reason, stored images stay, and after a delete the image is stored', () => {
    const size = fileOf().length;
    const { store, remove, service, get } = openService({ maxBytes: size + 10 });

    const answer = store([fileOf(), second]);

    expect(answer.status).toBe(202);
    expect(failuresOf(answer)).toEqual({ '1.2.3.4.5.101': 272 });
    expect(commentOf(answer)).toMatch(/memory .* full/);
    expect(service.counts).toMatchObject({ images: 1, bytes: size });
    expect(get(INSTANCE).status).toBe(200);
    remove(INSTANCE);
    expect(store([second]).status).toBe(200);
  });
});

describe('when the first 128 bytes of a file are not zero', () => {
  it('given the stored file, then these bytes are zero', () => {
    const { store, get } = openService();
    const file = fileOf();
    file.set(Buffer.from('#!/bin/sh'), 0);

    store([file]);

    const answer = get(INSTANCE, { accept: 'application/dicom; transfer-syntax=*' });
    expect(Buffer.from(answer.body as Uint8Array)).toEqual(Buffer.from(fileOf()));
  });
});
