import { EVENT_TYPES } from '../../../src/events/kinds.js';
import { describeSubscription, readSubscription } from '../../../src/simulator/event-grid/subscription.js';

const FUNCTION_ID = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/functions/fhirEvents';
const hook = { endpointType: 'WebHook', properties: { endpointUrl: 'http://127.0.0.1:7071/hook?code=k' } };

const PROPERTIES = 'destination.properties';
const MAPPING = `${PROPERTIES}.deliveryAttributeMappings[0]`;
const ADVANCED = 'filter.advancedFilters[0]';

function problemsOf(name: string, body: unknown, options = {}): Record<string, string> {
  const read = readSubscription(name, body, options);
  if (read.kind === 'ok') throw new Error('It was taken.');
  return Object.fromEntries(read.problems.map(({ path, message }) => [path, message]));
}

function described(body: unknown): unknown {
  const read = readSubscription('sub', body);
  if (read.kind === 'wrong') throw new Error(JSON.stringify(read.problems));
  return describeSubscription(read.subscription);
}

describe('when a subscription is described', () => {
  const topic =
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/simulator/providers/Microsoft.EventGrid/systemTopics/simulator';

  it('given only a destination, then every default is filled in', () => {
    expect(described({ properties: { destination: hook } })).toEqual({
      id: `${topic}/eventSubscriptions/sub`,
      name: 'sub',
      type: 'Microsoft.EventGrid/systemTopics/eventSubscriptions',
      properties: {
        topic,
        provisioningState: 'Succeeded',
        destination: {
          endpointType: 'WebHook',
          properties: {
            endpointUrl: 'http://127.0.0.1:7071/hook?code=k',
            endpointBaseUrl: 'http://127.0.0.1:7071/hook',
            maxEventsPerBatch: 1,
            preferredBatchSizeInKilobytes: 64,
            deliveryAttributeMappings: [],
          },
        },
        filter: {
          subjectBeginsWith: '',
          subjectEndsWith: '',
          isSubjectCaseSensitive: false,
          includedEventTypes: null,
          enableAdvancedFilteringOnArrays: false,
          advancedFilters: [],
        },
        eventDeliverySchema: 'EventGridSchema',
        retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
        deadLetterDestination: null,
        expirationTimeUtc: null,
        labels: [],
      },
    });
  });

  it('given a queue, then its account, name and time to live are shown', () => {
    const properties = { resourceId: '/account', queueName: 'events', queueMessageTimeToLiveInSeconds: -1 };
    const destination = { endpointType: 'StorageQueue', properties };

    expect(described({ properties: { deliveryWithResourceIdentity: { destination } } })).toMatchObject({
      properties: { destination },
    });
    expect(
      problemsOf('sub', {
        destination: { ...destination, properties: { queueMessageTimeToLiveInSeconds: 0 } },
      }),
    ).toEqual({
      [`${PROPERTIES}.queueMessageTimeToLiveInSeconds`]: 'expected -1, or more than 0, found 0',
      [`${PROPERTIES}.queueName`]: expect.any(String),
      [`${PROPERTIES}.resourceId`]: expect.any(String),
    });
  });

  it('given every property, then all are shown, without a secret', () => {
    const properties = {
      destination: {
        endpointType: 'AzureFunction',
        properties: {
          resourceId: FUNCTION_ID,
          maxEventsPerBatch: 5000,
          preferredBatchSizeInKilobytes: 1024,
          deliveryAttributeMappings: [
            { name: 'X-A', type: 'Static', properties: { value: 'plain', isSecret: false } },
            { name: 'X-B', type: 'Dynamic', properties: { sourceField: 'data.resourceType' } },
          ],
        },
      },
      filter: {
        subjectBeginsWith: 'a',
        subjectEndsWith: 'z',
        isSubjectCaseSensitive: true,
        includedEventTypes: ['T'],
        enableAdvancedFilteringOnArrays: true,
        advancedFilters: [
          { operatorType: 'NumberInRange', key: 'data.n', values: [[1, 2]] },
          { operatorType: 'BoolEquals', key: 'data.b', value: false },
          { operatorType: 'IsNotNull', key: 'data.x' },
          { operatorType: 'StringNotIn', key: 'subject', values: ['x'] },
        ],
      },
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      retryPolicy: { maxDeliveryAttempts: 5, eventTimeToLiveInMinutes: 60 },
      deadLetterDestination: {
        endpointType: 'StorageBlob',
        properties: { resourceId: '/subscriptions/s/storage', blobContainerName: 'undelivered' },
      },
      expirationTimeUtc: '2030-01-31T12:00:00.000Z',
      labels: ['one', 'two'],
    };
    const secret = { name: 'X-C', type: 'Static', properties: { value: 'hush', isSecret: true } };
    const withSecret = structuredClone(properties) as {
      destination: { properties: { deliveryAttributeMappings: unknown[] } };
    };
    withSecret.destination.properties.deliveryAttributeMappings.push(secret);

    expect(described({ properties })).toMatchObject({ properties });
    expect(JSON.stringify(described({ properties: withSecret }))).not.toContain('hush');
    expect(JSON.stringify(described({ properties: withSecret }))).toContain('"isSecret":true,"value":"Hidden"');
  });
});

describe('when a subscription is read', () => {
  it('given the bare properties, then they mean the same', () => {
    expect(described({ destination: hook })).toEqual(described({ properties: { destination: hook } }));
  });

  it('given the wrappers with an identity, then they mean what is in them', () => {
    const deadLetterDestination = { endpointType: 'StorageBlob', properties: { blobContainerName: 'c' } };
    const identity = { type: 'SystemAssigned' };

    expect(
      described({
        properties: {
          deliveryWithResourceIdentity: { identity, destination: hook },
          deadLetterWithResourceIdentity: { identity, deadLetterDestination },
        },
      }),
    ).toEqual(described({ properties: { destination: hook, deadLetterDestination } }));
  });

  it.each([
    { what: 'null', filter: { includedEventTypes: null }, types: null },
    { what: 'none', filter: { includedEventTypes: [] }, types: null },
    { what: 'All', filter: { includedEventTypes: ['All'] }, types: null },
    { what: 'two', filter: { includedEventTypes: ['A', 'B'] }, types: ['A', 'B'] },
    { what: 'no filter', filter: null, types: null },
  ])('given $what as event types, then $types', ({ filter, types }) => {
    expect(described({ destination: hook, filter })).toMatchObject({
      properties: { filter: { includedEventTypes: types } },
    });
  });

  it('given words in another case, then they are understood', () => {
    const body = {
      destination: { ...hook, endpointType: 'webhook' },
      eventDeliverySchema: 'cloudeventschemav1_0',
      filter: { advancedFilters: [{ operatorType: 'stringcontains', key: 'k', values: ['v'] }] },
    };

    expect(described(body)).toMatchObject({
      properties: {
        destination: { endpointType: 'WebHook' },
        eventDeliverySchema: 'CloudEventSchemaV1_0',
        filter: { advancedFilters: [{ operatorType: 'StringContains' }] },
      },
    });
  });

  it.each(['abc', 'A-1', 'x'.repeat(64)])('given the name %s, then it is valid', (name) => {
    expect(readSubscription(name, { destination: hook })).toMatchObject({ kind: 'ok' });
  });

  it.each(['', 'ab', 'x'.repeat(65), 'with space', 'a_b', 'a/b', 'ümlaut'])(
    'given the name %j, then it is invalid',
    (name) => {
      expect(problemsOf(name, { destination: hook })).toEqual({ name: expect.stringContaining(JSON.stringify(name)) });
    },
  );

  it.each([undefined, null, 7, 'text', [], [1]])(
    'given the body %j, then the problem is that it is no object',
    (body) => {
      expect(problemsOf('sub', body)).toHaveProperty([''], expect.stringContaining('expected an object'));
    },
  );

  it.each([
    ['properties', { properties: 7 }],
    ['destination.endpointType', {}],
    ['destination.endpointType', { destination: { endpointType: 'EventHub' } }],
    [`${PROPERTIES}.endpointUrl`, { destination: { endpointType: 'WebHook' } }],
    [`${PROPERTIES}.endpointUrl`, hookWith({ endpointUrl: 'ftp://x' })],
    [`${PROPERTIES}.endpointUrl`, hookWith({ endpointUrl: 'not a url' })],
    [`${PROPERTIES}.maxEventsPerBatch`, hookWith({ maxEventsPerBatch: 0 })],
    [`${PROPERTIES}.maxEventsPerBatch`, hookWith({ maxEventsPerBatch: 5001 })],
    [`${PROPERTIES}.maxEventsPerBatch`, hookWith({ maxEventsPerBatch: 1.5 })],
    [`${PROPERTIES}.maxEventsPerBatch`, hookWith({ maxEventsPerBatch: '10' })],
    [`${PROPERTIES}.preferredBatchSizeInKilobytes`, hookWith({ preferredBatchSizeInKilobytes: 0 })],
    [`${PROPERTIES}.preferredBatchSizeInKilobytes`, hookWith({ preferredBatchSizeInKilobytes: 1025 })],
    [`${PROPERTIES}.deliveryAttributeMappings`, hookWith({ deliveryAttributeMappings: Array(11).fill(header({})) })],
    [`${MAPPING}.name`, mapped({ name: 'aeg-x' })],
    [`${MAPPING}.name`, mapped({ name: 'a b' })],
    [`${MAPPING}.name`, mapped({ name: 'Content-Length' })],
    [`${MAPPING}.type`, mapped({ type: 'x' })],
    [`${MAPPING}.properties.value`, mapped({ properties: { value: 'a\nb' } })],
    [`${MAPPING}.properties.value`, mapped({ properties: { value: 'x'.repeat(4097) } })],
    [`${MAPPING}.properties.sourceField`, mapped({ type: 'Dynamic', properties: {} })],
    [MAPPING, hookWith({ deliveryAttributeMappings: [5] })],
    [`${PROPERTIES}.resourceId`, { destination: { endpointType: 'AzureFunction', properties: {} } }],
    [
      `${PROPERTIES}.resourceId`,
      { destination: { endpointType: 'AzureFunction', properties: { resourceId: '/sites/app' } } },
    ],
    ['eventDeliverySchema', { destination: hook, eventDeliverySchema: 'CustomInputSchema' }],
    ['retryPolicy.maxDeliveryAttempts', { destination: hook, retryPolicy: { maxDeliveryAttempts: 0 } }],
    ['retryPolicy.maxDeliveryAttempts', { destination: hook, retryPolicy: { maxDeliveryAttempts: 31 } }],
    ['retryPolicy.eventTimeToLiveInMinutes', { destination: hook, retryPolicy: { eventTimeToLiveInMinutes: 0 } }],
    ['retryPolicy.eventTimeToLiveInMinutes', { destination: hook, retryPolicy: { eventTimeToLiveInMinutes: 1441 } }],
    [
      'deadLetterDestination.endpointType',
      { destination: hook, deadLetterDestination: { properties: { blobContainerName: 'c' } } },
    ],
    [
      'deadLetterDestination.properties.blobContainerName',
      { destination: hook, deadLetterDestination: { endpointType: 'StorageBlob' } },
    ],
    ['expirationTimeUtc', { destination: hook, expirationTimeUtc: 'soon' }],
    ['labels', { destination: hook, labels: [1] }],
    ['filter', { destination: hook, filter: [] }],
    ['filter.subjectBeginsWith', filtered({ subjectBeginsWith: 5 })],
    ['filter.isSubjectCaseSensitive', filtered({ isSubjectCaseSensitive: 'yes' })],
    ['filter.includedEventTypes', filtered({ includedEventTypes: 'All' })],
    ['filter.advancedFilters', filtered({ advancedFilters: {} })],
    ['filter.advancedFilters', advanced(...Array(26).fill({ operatorType: 'IsNotNull', key: 'k' }))],
    [
      'filter.advancedFilters',
      advanced(
        { operatorType: 'StringIn', key: 'k', values: Array(13).fill('v') },
        { operatorType: 'NumberIn', key: 'k', values: Array(13).fill(1) },
      ),
    ],
    [`${ADVANCED}.operatorType`, operated('StringMatches', { values: ['v'] })],
    [`${ADVANCED}.key`, advanced({ operatorType: 'IsNotNull' })],
    [`${ADVANCED}.value`, operated('BoolEquals', { value: 'true' })],
    [`${ADVANCED}.value`, operated('NumberLessThan', { value: '5' })],
    [`${ADVANCED}.values`, operated('NumberIn', { values: 5 })],
    [`${ADVANCED}.values`, operated('StringIn', { values: [] })],
    [`${ADVANCED}.values[1]`, operated('NumberIn', { values: [1, 'x'] })],
    [`${ADVANCED}.values[0]`, operated('StringIn', { values: ['x'.repeat(513)] })],
    [`${ADVANCED}.values[0]`, operated('NumberInRange', { values: [[2, 1]] })],
    [`${ADVANCED}.values[0]`, operated('NumberInRange', { values: [5] })],
  ])('given a wrong %s, then it is a problem: %j', (path, body) => {
    const problems = problemsOf('sub', body);

    expect(Object.keys(problems)).toContain(path);
    expect(problems[path]).toMatch(/^expected .+/);
  });

  it.each([
    ['25 filters', advanced(...Array(25).fill({ operatorType: 'BoolEquals', key: 'k', value: true }))],
    ['25 values', advanced({ operatorType: 'StringIn', key: 'k', values: Array(25).fill('x'.repeat(512)) })],
  ])('given %s, then it is within the limits', (_, body) => {
    expect(readSubscription('sub', body)).toMatchObject({ kind: 'ok' });
  });

  it('given several wrong values, then all are problems, with paths below the properties', () => {
    const problems = problemsOf('a b', {
      properties: {
        destination: hook,
        retryPolicy: { maxDeliveryAttempts: 99 },
        labels: 'x',
        eventDeliverySchema: 'x',
      },
    });

    expect(Object.keys(problems).sort()).toEqual([
      'name',
      'properties.eventDeliverySchema',
      'properties.labels',
      'properties.retryPolicy.maxDeliveryAttempts',
    ]);
    expect(problems['properties.retryPolicy.maxDeliveryAttempts']).toBe(
      'expected a whole number from 1 to 30, found 99',
    );
  });

  it('given the known types, then others are refused', () => {
    const types = ['Microsoft.HealthcareApis.FhirResourceCreated', 'Microsoft.HealthcareApis.FhirResourceMade'];

    const problems = problemsOf('sub', filtered({ includedEventTypes: types }), { eventTypes: EVENT_TYPES });

    expect(Object.keys(problems)).toEqual(['filter.includedEventTypes[1]']);
  });

  it('given an expiry in the past, then the subscription is refused', () => {
    const now = new Date('2026-01-01T12:00:00Z');

    expect(problemsOf('sub', { destination: hook, expirationTimeUtc: '2026-01-01T12:00:00Z' }, { now })).toHaveProperty(
      'expirationTimeUtc',
    );
    expect(
      readSubscription('sub', { destination: hook, expirationTimeUtc: '2026-01-01T12:00:01Z' }, { now }),
    ).toMatchObject({ kind: 'ok' });
  });
});

function hookWith(properties: Record<string, unknown>): unknown {
  return { destination: { ...hook, properties: { ...hook.properties, ...properties } } };
}

function header(fields: Record<string, unknown>): unknown {
  return { name: 'X-A', type: 'Static', properties: { value: 'v' }, ...fields };
}

function mapped(fields: Record<string, unknown>): unknown {
  return hookWith({ deliveryAttributeMappings: [header(fields)] });
}

function operated(operatorType: string, fields: Record<string, unknown>): unknown {
  return advanced({ operatorType, key: 'k', ...fields });
}

function filtered(filter: Record<string, unknown>): unknown {
  return { destination: hook, filter };
}

function advanced(...advancedFilters: unknown[]): unknown {
  return filtered({ advancedFilters });
}
