import { InvalidEventError, type Problem } from '../../src/events/invalid-event-error.js';
import { parseEvent } from '../../src/events/parse.js';
import { type RawEvent, sample, samples } from './raw-events.js';

const grid = () => sample('FhirResourceUpdated.eventgrid.json');
const cloud = () => sample('FhirResourceUpdated.cloudevents.json');
const image = () => sample('DicomImageUpdated.eventgrid.json');

const withData = (raw: RawEvent, data: Record<string, unknown>) => ({ ...raw, data: { ...raw.data, ...data } });

function without(object: Record<string, unknown>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function failureOf(raw: unknown): InvalidEventError {
  try {
    parseEvent(raw);
  } catch (error) {
    if (error instanceof InvalidEventError) return error;
    throw error;
  }
  throw new Error('no error');
}

const problemsOf = (raw: unknown): readonly Problem[] => failureOf(raw).problems;

describe('the documented examples', () => {
  it('given all examples, then they are the six types in both schemas', () => {
    expect(new Set(samples.map(({ raw }) => `${raw.eventType ?? raw.type} ${'topic' in raw}`)).size).toBe(12);
  });

  it.each(samples)('given $file, then it is accepted as it is', ({ file, raw }) => {
    const event = parseEvent(raw);

    expect(event.type).toBe(`Microsoft.HealthcareApis.${file.split('.')[0]}`);
    expect(event.change).toBe(/Created|Updated|Deleted/.exec(file)?.[0].toLowerCase());
    expect(event.service).toBe(file.startsWith('Fhir') ? 'fhir' : 'dicom');
    expect(event.id).toBe(raw.id);
    expect(Object.isFrozen(event)).toBe(true);
    expect(Object.values(event).filter((value) => typeof value === 'object')).toEqual([]);
  });

  it('given a FHIR event, then the result has all its fields', () => {
    expect(parseEvent(grid())).toEqual({
      service: 'fhir',
      change: 'updated',
      type: 'Microsoft.HealthcareApis.FhirResourceUpdated',
      id: '634bd421-8467-f23c-b8cb-f6a31e41c32a',
      source:
        '/subscriptions/{subscription-id}/resourceGroups/{resource-group-name}/providers/Microsoft.HealthcareApis/workspaces/{workspace-name}',
      time: '2021-09-08T01:29:12.061Z',
      resourceType: 'Patient',
      resourceId: 'e0a1f743-1a70-451f-830e-e96477163902',
      version: 2,
      host: '{fhir-account}.fhir.azurehealthcareapis.com',
    });
  });

  it('given a DICOM event without a partition, then the result has all its fields, and the default partition', () => {
    expect(parseEvent(sample('DicomImageDeleted.cloudevents.json'))).toEqual({
      service: 'dicom',
      change: 'deleted',
      type: 'Microsoft.HealthcareApis.DicomImageDeleted',
      id: 'eac1c1a0-ffa8-4b28-97cc-1d8b9a0a6021',
      source:
        '/subscriptions/{subscription-id}/resourceGroups/{resource-group-name}/providers/Microsoft.HealthcareApis/workspaces/{workspace-name}',
      time: '2022-09-15T01:14:04.561Z',
      studyUid: '1.2.3.4.3',
      seriesUid: '1.2.3.4.3.9423673',
      instanceUid: '1.3.6.1.4.1.45096.2.296485376.2210.1633373143.864442',
      partition: 'Microsoft.Default',
      version: 2,
      host: '{dicom-account}.dicom.azurehealthcareapis.com',
    });
  });
});

describe('events of real services', () => {
  it.each<{ given: string; raw: unknown; expected: Record<string, unknown> }>([
    { given: 'a version in digits', raw: withData(grid(), { resourceVersionId: '12' }), expected: { version: 12 } },
    {
      given: 'a version with zeros before it',
      raw: withData(grid(), { resourceVersionId: '007' }),
      expected: { version: 7 },
    },
    { given: 'version 0', raw: withData(grid(), { resourceVersionId: 0 }), expected: { version: 0 } },
    { given: 'version -0', raw: withData(grid(), { resourceVersionId: -0 }), expected: { version: 0 } },
    {
      given: 'the largest version',
      raw: withData(grid(), { resourceVersionId: '9007199254740991' }),
      expected: { version: 9007199254740991 },
    },
    {
      given: 'a sequence number in digits',
      raw: withData(image(), { sequenceNumber: '34' }),
      expected: { version: 34 },
    },
    {
      given: 'a type that R4 does not know',
      raw: withData(grid(), { resourceType: 'ActorDefinition' }),
      expected: { resourceType: 'ActorDefinition' },
    },
    {
      given: 'a resource id that is too long for FHIR',
      raw: withData(grid(), { resourceFhirId: 'a_b'.repeat(100) }),
      expected: { resourceId: 'a_b'.repeat(100) },
    },
    {
      given: 'a host in capitals',
      raw: withData(grid(), { resourceFhirAccount: 'W-F.fhir.AzureHealthcareApis.com' }),
      expected: { host: 'w-f.fhir.azurehealthcareapis.com' },
    },
    {
      given: 'a host with a port',
      raw: withData(grid(), { resourceFhirAccount: 'localhost:7071' }),
      expected: { host: 'localhost:7071' },
    },
    { given: 'a partition', raw: withData(image(), { partitionName: 'Ward.7' }), expected: { partition: 'Ward.7' } },
    {
      given: 'no partition: null',
      raw: withData(image(), { partitionName: null }),
      expected: { partition: 'Microsoft.Default' },
    },
    {
      given: 'no partition: empty',
      raw: withData(image(), { partitionName: '' }),
      expected: { partition: 'Microsoft.Default' },
    },
    {
      given: 'source in place of topic',
      raw: { ...without(grid(), 'topic'), source: '/W' },
      expected: { source: '/W' },
    },
    {
      given: 'topic in place of source',
      raw: { ...without(cloud(), 'source'), topic: '/W' },
      expected: { source: '/W' },
    },
    { given: 'both, one of them null', raw: { ...grid(), topic: '/W', source: null }, expected: { source: '/W' } },
    {
      given: 'specVersion',
      raw: { ...without(cloud(), 'specversion'), specVersion: '1.0' },
      expected: { change: 'updated' },
    },
    {
      given: 'a CloudEvent in the words of Event Grid',
      raw: {
        ...without(grid(), 'topic', 'metadataVersion'),
        source: '/W',
        specVersion: '1.0',
      },
      expected: { source: '/W', change: 'updated', time: '2021-09-08T01:29:12.061Z' },
    },
    { given: 'a CloudEvent without a time', raw: without(cloud(), 'time'), expected: { time: undefined } },
    {
      given: 'a CloudEvent with a specVersion and without a time',
      raw: { ...without(cloud(), 'time', 'specversion'), specVersion: '1.0' },
      expected: { time: undefined },
    },
    { given: 'a CloudEvent with a time of null', raw: { ...cloud(), time: null }, expected: { time: undefined } },
    {
      given: 'CloudEvents attributes of all kinds',
      raw: { ...cloud(), datacontenttype: 'application/json', dataschema: '#2', traceparent: '00-1-2-01', subject: 7 },
      expected: { change: 'updated' },
    },
    {
      given: 'no dataVersion',
      raw: without(grid(), 'dataVersion', 'metadataVersion'),
      expected: { change: 'updated' },
    },
    { given: 'a dataVersion of another form', raw: { ...grid(), dataVersion: 1.0 }, expected: { change: 'updated' } },
    {
      given: "Event Grid's dead-letter properties",
      raw: { ...grid(), deadLetterReason: 'MaxDeliveryAttemptsExceeded', deliveryAttempts: 30, publishTime: '2021' },
      expected: { change: 'updated' },
    },
    {
      given: "CloudEvents' dead-letter properties",
      raw: { ...cloud(), deadletterreason: 'MaxDeliveryAttemptsExceeded', deliveryattempts: 30 },
      expected: { change: 'updated' },
    },
    {
      given: 'more in data',
      raw: withData(grid(), { resourceVersionId: 3, extra: { toString: 'x', list: [[]] } }),
      expected: { version: 3 },
    },
    {
      given: 'an id of 1,024 characters',
      raw: { ...grid(), id: 'x'.repeat(1024) },
      expected: { id: 'x'.repeat(1024) },
    },
    { given: 'an id with a slash', raw: { ...grid(), id: 'a/b?#\\' }, expected: { id: 'a/b?#\\' } },
  ])('given $given, then it is accepted', ({ raw, expected }) => {
    expect(parseEvent(raw)).toMatchObject(expected);
  });

  it('given PascalCase in data, then the result is the same', () => {
    for (const { raw } of samples) {
      const data = Object.entries(raw.data).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]);

      expect(parseEvent({ ...raw, data: Object.fromEntries(data) })).toEqual(parseEvent(raw));
    }
  });
});

describe('events that are refused', () => {
  const missingData = ['resourceType', 'resourceFhirId', 'resourceVersionId', 'resourceFhirAccount'].map((key) => ({
    path: `data.${key}`,
    code: 'missing',
  }));

  it.each([
    { raw: undefined },
    { raw: null },
    { raw: [] },
    { raw: [sample('FhirResourceCreated.eventgrid.json')] },
    { raw: 'text' },
    { raw: 1 },
    { raw: () => grid() },
  ])('given no object, then the event is of the wrong type', ({ raw }) => {
    expect(problemsOf(raw)).toEqual([{ path: '(event)', code: 'invalid-type' }]);
  });

  it.each<{ given: string; raw: unknown; expected: readonly Problem[] }>([
    { given: 'no id', raw: without(grid(), 'id'), expected: [{ path: 'id', code: 'missing' }] },
    { given: 'an empty id', raw: { ...grid(), id: '' }, expected: [{ path: 'id', code: 'too-small' }] },
    { given: 'a long id', raw: { ...grid(), id: 'x'.repeat(1025) }, expected: [{ path: 'id', code: 'too-big' }] },
    { given: 'a number for an id', raw: { ...grid(), id: 7 }, expected: [{ path: 'id', code: 'invalid-type' }] },
    { given: 'no topic', raw: without(grid(), 'topic'), expected: [{ path: 'topic', code: 'missing' }] },
    { given: 'no source', raw: without(cloud(), 'source'), expected: [{ path: 'source', code: 'missing' }] },
    {
      given: 'a long source',
      raw: { ...cloud(), source: '/'.repeat(2049) },
      expected: [{ path: 'source', code: 'too-big' }],
    },
    { given: 'no eventType', raw: without(grid(), 'eventType'), expected: [{ path: 'eventType', code: 'missing' }] },
    { given: 'no type', raw: without(cloud(), 'type'), expected: [{ path: 'type', code: 'missing' }] },
    { given: 'no eventTime', raw: without(grid(), 'eventTime'), expected: [{ path: 'eventTime', code: 'missing' }] },
    {
      given: 'an eventTime that is no date',
      raw: { ...grid(), eventTime: 'soon' },
      expected: [{ path: 'eventTime', code: 'invalid-format' }],
    },
    {
      given: 'a time that is no date',
      raw: { ...cloud(), time: '' },
      expected: [{ path: 'time', code: 'invalid-format' }],
    },
    {
      given: 'a time without end',
      raw: { ...cloud(), time: `2022-03-24T00:00:00.${'0'.repeat(45)}` },
      expected: [{ path: 'time', code: 'too-big' }],
    },
    { given: 'a time in numbers', raw: { ...cloud(), time: 1 }, expected: [{ path: 'time', code: 'invalid-type' }] },
    {
      given: 'CloudEvents 0.3',
      raw: { ...cloud(), specversion: '0.3' },
      expected: [{ path: 'specversion', code: 'invalid-format' }],
    },
    {
      given: 'a specversion in numbers',
      raw: { ...cloud(), specversion: 1 },
      expected: [{ path: 'specversion', code: 'invalid-type' }],
    },
    { given: 'no data', raw: without(grid(), 'data'), expected: [{ path: 'data', code: 'missing' }] },
    { given: 'data of null', raw: { ...grid(), data: null }, expected: [{ path: 'data', code: 'invalid-type' }] },
    {
      given: 'a list of data',
      raw: { ...grid(), data: [grid().data] },
      expected: [{ path: 'data', code: 'invalid-type' }],
    },
    { given: 'data in a string', raw: { ...grid(), data: '{}' }, expected: [{ path: 'data', code: 'invalid-type' }] },
    { given: 'empty data', raw: { ...grid(), data: {} }, expected: missingData },
    { given: 'data of another service', raw: { ...grid(), data: image().data }, expected: missingData },
    {
      given: 'a resource type of ..',
      raw: withData(grid(), { resourceType: '..' }),
      expected: [{ path: 'data.resourceType', code: 'invalid-format' }],
    },
    {
      given: 'a long partition',
      raw: withData(image(), { partitionName: 'p'.repeat(129) }),
      expected: [{ path: 'data.partitionName', code: 'too-big' }],
    },
    {
      given: 'a partition in numbers',
      raw: withData(image(), { partitionName: 7 }),
      expected: [{ path: 'data.partitionName', code: 'invalid-type' }],
    },
  ])('given $given, then there is no other problem', ({ raw, expected }) => {
    expect(problemsOf(raw)).toEqual(expected);
  });

  it.each([
    -1,
    1.5,
    2 ** 53,
    Number.NaN,
    Infinity,
    '',
    ' 1',
    '+1',
    '1e3',
    '1.0',
    '0x1',
    'Infinity',
    '9007199254740992',
    '00000000000000001',
    true,
    {},
  ])('given the version %j, then the version is invalid', (version) => {
    const [fhir, dicom] = [
      withData(grid(), { resourceVersionId: version }),
      withData(image(), { sequenceNumber: version }),
    ];

    expect(problemsOf(fhir).map(({ path }) => path)).toEqual(['data.resourceVersionId']);
    expect(problemsOf(dicom).map(({ path }) => path)).toEqual(['data.sequenceNumber']);
  });

  it('given several problems, then the error has all of them, with the names in the envelope', () => {
    const raw = withData(
      { ...image(), id: '', topic: 7, eventTime: 'no' },
      {
        imageStudyInstanceUid: '',
        imageSeriesInstanceUid: 'x'.repeat(257),
        imageSopInstanceUid: null,
        serviceHostName: [],
      },
    );

    expect(problemsOf(raw)).toEqual([
      { path: 'id', code: 'too-small' },
      { path: 'topic', code: 'invalid-type' },
      { path: 'eventTime', code: 'invalid-format' },
      { path: 'data.imageStudyInstanceUid', code: 'too-small' },
      { path: 'data.imageSeriesInstanceUid', code: 'too-big' },
      { path: 'data.imageSopInstanceUid', code: 'missing' },
      { path: 'data.serviceHostName', code: 'invalid-type' },
    ]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('given the key %s, then it is forbidden in both places', (key) => {
    const evil = `{"${key}":{"isAdmin":true},`;
    const text = JSON.stringify(grid()).replace('{', evil).replace('"data":{', `"data":${evil}`);

    expect(problemsOf(JSON.parse(text))).toEqual([
      { path: key, code: 'forbidden-key' },
      { path: `data.${key}`, code: 'forbidden-key' },
    ]);
  });
});

describe('the error', () => {
  it.each([
    {
      given: 'a type of another service',
      raw: { ...grid(), eventType: 'Microsoft.Storage.BlobCreated' },
      expected: 'unknown-type',
    },
    {
      given: 'a type in other letters',
      raw: { ...cloud(), type: String(cloud().type).toLowerCase() },
      expected: 'unknown-type',
    },
    { given: 'the name of a method for a type', raw: { ...cloud(), type: 'toString' }, expected: 'unknown-type' },
    {
      given: 'an unknown type and no data',
      raw: { ...without(grid(), 'data'), eventType: 'x' },
      expected: 'unknown-type',
    },
    { given: 'a known type and no data', raw: without(grid(), 'data'), expected: 'invalid' },
    { given: 'a type in numbers', raw: { ...grid(), eventType: 7 }, expected: 'invalid' },
    { given: 'something else wrong', raw: { ...grid(), id: 7 }, expected: 'invalid' },
  ])('given $given, then the reason is $expected', ({ raw, expected }) => {
    expect(failureOf(raw).reason).toBe(expected);
  });

  it('given an unknown type, then the rest of the envelope is still checked', () => {
    expect(problemsOf({ ...grid(), eventType: 'Other', id: '', eventTime: 7 })).toEqual([
      { path: 'id', code: 'too-small' },
      { path: 'eventType', code: 'invalid-value' },
      { path: 'eventTime', code: 'invalid-type' },
    ]);
  });

  it('given private values and keys, then the message has none of them', () => {
    const raw = withData(
      { ...grid(), id: { name: 'Erika Mustermann' }, eventTime: 'Mustermann', 'Erika Mustermann': 1 },
      { resourceVersionId: 'Mustermann', 'Erika Mustermann': { __proto__: 1 } },
    );

    expect(failureOf(raw).message).toBe(
      'This is not a valid event of Azure Health Data Services: id invalid-type, eventTime invalid-format, data.resourceVersionId invalid-type.',
    );
  });
});
