import { sizeErrorOf } from '../../../src/events/accept.js';
import { InvalidEventError } from '../../../src/events/invalid-event-error.js';
import { parseEvent } from '../../../src/events/parse.js';
import type { ServiceChange } from '../../../src/simulator/changes.js';
import { MALFORMED, OF_ANOTHER_WORKSPACE } from '../../../src/simulator/chaos/malformed.js';
import { topicEventOf, writeEvent } from '../../../src/simulator/event-grid/topic-event.js';

const at = new Date('2026-01-01T00:00:00.000Z');
const changes: readonly ServiceChange[] = [
  {
    service: 'fhir',
    change: 'created',
    host: 'w.fhir.test',
    resourceType: 'Patient',
    resourceId: 'p1',
    version: 1,
    at,
  },
  {
    service: 'dicom',
    change: 'updated',
    host: 'w.dicom.test',
    partition: 'Microsoft.Default',
    studyUid: '1.2',
    seriesUid: '1.2.3',
    instanceUid: '1.2.3.4',
    sequenceNumber: 7,
    at,
  },
];
const written = changes.flatMap((change) =>
  (['EventGridSchema', 'CloudEventSchemaV1_0'] as const).map((schema) => ({
    service: change.service,
    schema,
    event: writeEvent(topicEventOf(change, { id: 'e1', source: '/subscriptions/1' }), schema),
  })),
);

describe.each(written)('when an event of $service in $schema is spoilt', ({ service, event }) => {
  it('given the event before, then the app accepts the event', () => {
    expect(parseEvent(event).id).toBe('e1');
  });

  it.each(MALFORMED.filter((kind) => (kind.service ?? service) === service))(
    'given $name, then the app refuses it, and its subject is still there',
    ({ spoil }) => {
      const spoilt = JSON.parse(JSON.stringify(spoil(event)));

      expect(spoilt.subject).toBe(event.subject);
      if (!sizeErrorOf(JSON.stringify(spoilt))) expect(() => parseEvent(spoilt)).toThrow(InvalidEventError);
    },
  );

  it('given the malformation of another workspace, then only the workspace differs', () => {
    expect(parseEvent(OF_ANOTHER_WORKSPACE.spoil(event))).toEqual({
      ...parseEvent(event),
      source: '/subscriptions/0/resourceGroups/other/providers/Microsoft.HealthcareApis/workspaces/other',
    });
  });
});

describe('when all kinds are counted', () => {
  it('given their names, then there are many, all different', () => {
    expect(new Set(MALFORMED.map(({ name }) => name)).size).toBe(MALFORMED.length);
    expect(MALFORMED.length).toBeGreaterThan(80);
  });
});
