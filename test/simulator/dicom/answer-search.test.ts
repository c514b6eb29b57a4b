import { fileOf, uids, without } from './files.js';
import { openService } from './open-service.js';

type Json = Record<string, { vr: string; Value?: unknown[] }>;

/** Two studies: 1.1 with a CT and an MR series, 1.2, newer, with a CT of another patient. */
function openTwo() {
  const opened = openService();
  const modality = (code: string) => ({ '00080060': { vr: 'CS', Value: [code] } });
  opened.store([
    fileOf(uids('1.1', '1.1.1', '1.1.1.1')),
    fileOf(uids('1.1', '1.1.1', '1.1.1.2')),
    fileOf({
      ...uids('1.1', '1.1.2', '1.1.2.1'),
      ...modality('MR'),
      '00081090': { vr: 'LO', Value: ['Magnet 3T'] },
      '00400244': { vr: 'DA', Value: ['20250201'] },
    }),
    fileOf({
      ...uids('1.2', '1.2.1', '1.2.1.1'),
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00080020': { vr: 'DA', Value: ['20250301'] },
      '00080050': { vr: 'SH', Value: ['B200'] },
      '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Äskulap^Anna' }] },
      '00081030': { vr: 'LO', Value: ['Knee left'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller-Lüdenscheidt^Jörg Uwe' }] },
      '00100020': { vr: 'LO', Value: ['p2'] },
      '00100030': { vr: 'DA', Value: ['19551231'] },
    }),
  ]);
  return opened;
}

const STUDY_UID = '0020000D';
const SERIES_UID = '0020000E';
const INSTANCE_UID = '00080018';
const found = (json: Json[] | undefined, tag: string) => (json ?? []).map((one) => one[tag]?.Value?.[0]);

describe('when studies are searched', () => {
  it.each([
    { query: '', studies: ['1.2', '1.1'] },
    { query: '?StudyInstanceUID=1.1', studies: ['1.1'] },
    { query: '?0020000d=1.2', studies: ['1.2'] },
    { query: '?StudyInstanceUID=1.2%00', studies: ['1.2'] },
    { query: '?StudyInstanceUID=1.1,1.2', studies: [] },
    { query: '?PatientID=P2', studies: ['1.2'] },
    { query: '?PatientID=P', studies: [] },
    { query: '?PatientName=doe%5Ejohn', studies: ['1.1'] },
    { query: '?PatientName=john', studies: [] },
    { query: '?PatientName=muller-ludenscheidt%5Ejorg%20uwe', studies: ['1.2'] },
    { query: '?PatientName=jo&fuzzymatching=true', studies: ['1.2', '1.1'] },
    { query: '?PatientName=do%20jo&fuzzymatching=true', studies: ['1.1'] },
    { query: '?PatientName=jo%20do&fuzzymatching=true', studies: [] },
    { query: '?PatientName=ohn&fuzzymatching=true', studies: [] },
    { query: '?PatientName=luden&fuzzymatching=TRUE', studies: ['1.2'] },
    { query: '?ReferringPhysicianName=anna&fuzzymatching=true', studies: ['1.2'] },
    { query: '?AccessionNumber=b200', studies: ['1.2'] },
    { query: '?StudyDescription=knee%20LEFT', studies: ['1.2'] },
    { query: '?StudyDate=20250131', studies: ['1.1'] },
    { query: '?StudyDate=20250131-20250301', studies: ['1.2', '1.1'] },
    { query: '?StudyDate=-20250228', studies: ['1.1'] },
    { query: '?StudyDate=20250201-', studies: ['1.2'] },
    { query: '?PatientBirthDate=19500101-19591231', studies: ['1.2'] },
    { query: '?ModalitiesInStudy=MR', studies: ['1.1'] },
    { query: '?ModalitiesInStudy=CT&PatientID=P1', studies: ['1.1'] },
    { query: '?limit=1', studies: ['1.2'] },
    { query: '?limit=1&offset=1', studies: ['1.1'] },
    { query: '?offset=2', studies: [] },
  ])('given studies$query, then $studies are found', ({ query, studies }) => {
    const { get, json } = openTwo();

    expect(get(`studies${query}`).status).toBe(studies.length > 0 ? 200 : 204);
    expect(found(json(`studies${query}`), STUDY_UID)).toEqual(studies);
  });

  it('given no includefield, then the answer has the default attributes of API v2', () => {
    const [study] = openTwo().json('studies?StudyInstanceUID=1.1');

    expect(study).toEqual({
      '00080020': { vr: 'DA', Value: ['20250131'] },
      '00080050': { vr: 'SH', Value: ['A100'] },
      '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Referring^Rita' }] },
      '00081030': { vr: 'LO', Value: ['Head'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^John' }] },
      '00100020': { vr: 'LO', Value: ['P1'] },
      '00100030': { vr: 'DA', Value: ['19700102'] },
      '0020000D': { vr: 'UI', Value: ['1.1'] },
    });
  });

  it('given further fields, by keyword or by tag, then the answer has them too', () => {
    const { json } = openTwo();
    const url = 'studies?StudyInstanceUID=1.1&includefield=ModalitiesInStudy,00201208&includefield=StudyTime';

    const [study] = json(url);

    expect(study['00080061']).toEqual({ vr: 'CS', Value: ['CT', 'MR'] });
    expect(study['00201208']).toEqual({ vr: 'IS', Value: [3] });
    expect(study['00080030']).toEqual({ vr: 'TM', Value: ['101500'] });
    expect(study['00080060']).toBeUndefined();
  });

  it('given a private field, then the answer has it', () => {
    const { store, json } = openService();
    store([fileOf({ '00090010': { vr: 'LO', Value: ['ACME'] }, '00091001': { vr: 'LO', Value: ['private'] } })]);

    expect(json('studies?includefield=00091001')[0]['00091001'].Value).toEqual(['private']);
  });

  it('given all fields, then the answer has the attributes of a study', () => {
    const { store, json } = openService();
    store([fileOf({ '00100040': { vr: 'CS', Value: ['F'] }, '00200010': { vr: 'SH', Value: ['ID1'] } })]);

    const [study] = json('studies?includefield=all');

    expect(study).toMatchObject({ '00100040': { Value: ['F'] }, '00200010': { Value: ['ID1'] } });
    expect(study['00080060']).toBeUndefined();
    expect(json('studies?includefield=ALL,PatientSex')[0]).toEqual(study);
  });

  it('given images of a study differ, then the newest value counts, unless it is empty', () => {
    const { store, json } = openService();
    store([fileOf()]);
    store([
      fileOf({
        ...uids('1.2.3.4', '1.2.3.4.5', '1.9'),
        '00081030': { vr: 'LO', Value: ['Later'] },
        '00080090': { vr: 'PN', Value: ['\\Second^Sam'] },
        '00100020': { vr: 'LO', Value: [] },
      }),
    ]);

    const [study] = json('studies');

    expect(study['00081030'].Value).toEqual(['Later']);
    expect(study['00100020'].Value).toEqual(['P1']);
    expect(study['00080090'].Value).toEqual([{ Alphabetic: 'Referring^Rita' }]);
  });
});

describe('when series are searched', () => {
  it.each([
    { url: 'series', series: ['1.2.1', '1.1.2', '1.1.1'] },
    { url: 'series?Modality=ct', series: ['1.2.1', '1.1.1'] },
    { url: 'series?Modality=CT&PatientID=P1', series: ['1.1.1'] },
    { url: 'series?ManufacturerModelName=magnet%203t', series: ['1.1.2'] },
    { url: 'series?PerformedProcedureStepStartDate=20250201-', series: ['1.1.2'] },
    { url: 'series?SeriesInstanceUID=1.1.1', series: ['1.1.1'] },
    { url: 'series?ModalitiesInStudy=MR', series: ['1.1.2', '1.1.1'] },
    { url: 'studies/1.1/series', series: ['1.1.2', '1.1.1'] },
    { url: 'studies/1.1/series?Modality=MR', series: ['1.1.2'] },
    { url: 'studies/1.9/series', series: [] },
  ])('given $url, then $series are found', ({ url, series }) => {
    expect(found(openTwo().json(url), SERIES_UID)).toEqual(series);
  });

  it('given all series, then the answer has attributes of their studies; given those of a study, only its UID', () => {
    const { json } = openTwo();

    expect(Object.keys(json('series?Modality=MR')[0]).join(' ')).toBe(
      `00080020 00080050 00080060 00080090 00081030 00081090 00100010 00100020 00100030 ${STUDY_UID} ${SERIES_UID} 00400244`,
    );
    expect(json('studies/1.1/series?Modality=MR&includefield=NumberOfSeriesRelatedInstances')).toEqual([
      {
        '00080060': { vr: 'CS', Value: ['MR'] },
        '00081090': { vr: 'LO', Value: ['Magnet 3T'] },
        [STUDY_UID]: { vr: 'UI', Value: ['1.1'] },
        [SERIES_UID]: { vr: 'UI', Value: ['1.1.2'] },
        '00201209': { vr: 'IS', Value: [1] },
        '00400244': { vr: 'DA', Value: ['20250201'] },
      },
    ]);
  });
});

describe('when instances are searched', () => {
  it.each([
    { url: 'instances', images: ['1.2.1.1', '1.1.2.1', '1.1.1.2', '1.1.1.1'] },
    { url: 'instances?SOPInstanceUID=1.1.1.2', images: ['1.1.1.2'] },
    { url: 'instances?Modality=MR&StudyInstanceUID=1.1', images: ['1.1.2.1'] },
    { url: 'studies/1.1/instances', images: ['1.1.2.1', '1.1.1.2', '1.1.1.1'] },
    { url: 'studies/1.1/instances?Modality=CT&limit=1', images: ['1.1.1.2'] },
    { url: 'studies/1.1/series/1.1.1/instances', images: ['1.1.1.2', '1.1.1.1'] },
    { url: 'studies/1.1/series/1.1.1/instances?SOPInstanceUID=1.1.1.1', images: ['1.1.1.1'] },
    { url: 'studies/1.1/series/1.2.1/instances', images: [] },
  ])('given $url, then $images are found', ({ url, images }) => {
    expect(found(openTwo().json(url), INSTANCE_UID)).toEqual(images);
  });

  it('given the images of a series, then the answer has the UIDs and the wanted attributes', () => {
    const { json } = openTwo();
    const url = 'studies/1.1/series/1.1.2/instances';

    expect(json(url)).toEqual([
      {
        [INSTANCE_UID]: { vr: 'UI', Value: ['1.1.2.1'] },
        [STUDY_UID]: { vr: 'UI', Value: ['1.1'] },
        [SERIES_UID]: { vr: 'UI', Value: ['1.1.2'] },
      },
    ]);
    expect(json(`${url}?includefield=00200013,Rows`)[0]).toMatchObject({
      '00200013': { vr: 'IS', Value: [7] },
      '00280010': { vr: 'US', Value: [2] },
    });
    expect(Object.keys(json(`${url}?includefield=all`)[0]).join(' ')).toBe(
      `00080016 ${INSTANCE_UID} ${STUDY_UID} ${SERIES_UID} 00200013 00280010 00280011 00280100`,
    );
  });
});

describe('when a search cannot be understood', () => {
  it.each([
    'studies?Unknown=1',
    'studies?patientid=P1',
    'studies?StudyID=1',
    'studies?Modality=CT',
    'series?SOPInstanceUID=1',
    'studies/1.1/series?PatientID=P1',
    'studies/1.1/series?StudyInstanceUID=1.1',
    'studies/1.1/series/1.1.1/instances?Modality=CT',
    'studies?PatientID=',
    'studies?PatientID=%20',
    'studies?PatientID=P1&PatientID=P2',
    'studies?PatientID=P1&00100020=P1',
    'studies?StudyDate=yesterday',
    'studies?StudyDate=20250230',
    'studies?StudyDate=-',
    'studies?StudyDate=20250301-20250201',
    'studies?limit=0',
    'studies?limit=201',
    'studies?limit=ten',
    'studies?offset=-1',
    'studies?fuzzymatching=maybe',
    'studies?includefield=NoSuchField',
    'studies?includefield=00089999',
    'studies?includefield=0008103',
    'studies/abc/series',
    'studies/1.1/series/abc/instances',
  ])('given %s, then the answer is 400, and says what is wrong', (url) => {
    const answer = openTwo().get(url);

    expect(answer.status).toBe(400);
    expect(answer.headers?.['content-type']).toBe('text/plain; charset=utf-8');
    expect(String(answer.body).length).toBeGreaterThan(10);
  });

  it('given XML is accepted, then the answer is 406', () => {
    expect(openTwo().get('studies', { accept: 'application/dicom+xml' }).status).toBe(406);
    expect(openTwo().get('studies', { accept: 'application/dicom+json' }).status).toBe(200);
  });

  it('given a limit of 200, then the answer has 200 results; without a limit, 100', () => {
    const { store, json } = openService();
    store(Array.from({ length: 210 }, (_, n) => fileOf({ ...uids('1', '1.1', `1.1.${n}`), ...without('7FE00010') })));

    expect(json('instances?limit=200')).toHaveLength(200);
    expect(json('instances')).toHaveLength(100);
    expect(found(json('instances?limit=200&offset=200'), INSTANCE_UID)).toEqual(
      Array.from({ length: 10 }, (_, n) => `1.1.${9 - n}`),
    );
  });
});
