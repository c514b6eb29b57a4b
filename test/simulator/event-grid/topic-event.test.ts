import { EVENT_TYPES } from '../../../src/events/kinds.js';
import { parseEvent } from '../../../src/events/parse.js';
import type { ServiceChange } from '../../../src/simulator/changes.js';
import { topicEventOf, writeEvent } from '../../../src/simulator/event-grid/topic-event.js';
import dicomCloud from '../../events/samples/DicomImageUpdated.cloudevents.json' with { type: 'json' };
import dicomGrid from '../../events/samples/DicomImageUpdated.eventgrid.json' with { type: 'json' };
import fhirCloud from '../../events/samples/FhirResourceUpdated.cloudevents.json' with { type: 'json' };
import fhirGrid from '../../events/samples/FhirResourceUpdated.eventgrid.json' with { type: 'json' };

const source = fhirGrid.topic;

describe('when an event is made of a change of a FHIR resource', () => {
  const change = (resourceId: string, at: string): ServiceChange => ({
    service: 'fhir',
    change: 'updated',
    host: '{fhir-account}.fhir.azurehealthcareapis.com',
    resourceType: 'Patient',
    resourceId,
    version: 2,
    at: new Date(at),
  });

  it.each([
    { schema: 'EventGridSchema' as const, sample: fhirGrid, time: 'eventTime' as const },
    { schema: 'CloudEventSchemaV1_0' as const, sample: fhirCloud, time: 'time' as const },
  ])('given $schema, then the event equals the published sample', ({ schema, sample, time }) => {
    const at = '2022-02-03T16:48:33.514Z';
    const event = topicEventOf(change(sample.data.resourceFhirId, at), { id: sample.id, source });

    expect(writeEvent(event, schema)).toEqual({ ...sample, [time]: '2022-02-03T16:48:33.5140000Z' });
  });
});

describe('when an event is made of a change of a DICOM image', () => {
  const { data } = dicomGrid;
  const change: ServiceChange = {
    service: 'dicom',
    change: 'updated',
    host: data.serviceHostName,
    partition: data.partitionName,
    studyUid: data.imageStudyInstanceUid,
    seriesUid: data.imageSeriesInstanceUid,
    instanceUid: data.imageSopInstanceUid,
    sequenceNumber: 2,
    at: new Date('2023-06-09T16:55:44.719Z'),
  };

  it('given the schema of Event Grid, then the event equals the published sample', () => {
    const event = topicEventOf(change, { id: dicomGrid.id, source });

    expect(writeEvent(event, 'EventGridSchema')).toEqual({
      ...dicomGrid,
      eventTime: '2023-06-09T16:55:44.7190000Z',
    });
  });

  it('given CloudEvents, then the event equals the published sample, too', () => {
    const event = topicEventOf({ ...change, sequenceNumber: 1 }, { id: dicomCloud.id, source });

    expect(writeEvent(event, 'CloudEventSchemaV1_0')).toEqual({
      ...dicomCloud,
      time: '2023-06-09T16:55:44.7190000Z',
    });
  });
});

describe('when the app reads what is written', () => {
  const ids = { id: 'i', source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w' };
  const at = new Date('2026-01-01T12:00:00Z');
  const fhir = { service: 'fhir', host: 'f.example', resourceType: 'Basic', resourceId: 'b', version: 3, at } as const;
  const dicom = {
    service: 'dicom',
    host: 'd.example',
    partition: 'p',
    studyUid: '1.2',
    seriesUid: '1.3',
    instanceUid: '1.4',
    sequenceNumber: 9,
    at,
  } as const;

  it.each(
    (['created', 'updated', 'deleted'] as const).flatMap((change): ServiceChange[] => [
      { ...fhir, change },
      { ...dicom, change },
    ]),
  )('given $service $change, then both schemas are the same event', (change) => {
    const event = topicEventOf(change, ids);

    const read = parseEvent(writeEvent(event, 'EventGridSchema'));

    expect(read).toMatchObject({ id: 'i', service: change.service, change: change.change });
    expect(parseEvent(writeEvent(event, 'CloudEventSchemaV1_0'))).toEqual(read);
    expect(EVENT_TYPES).toContain(event.type);
  });
});

describe('when a malformed event is written', () => {
  it('given a way to spoil it, then it applies to the written event in either schema', () => {
    const change = { service: 'fhir', change: 'created', host: 'h', resourceType: 'Basic', resourceId: 'b' } as const;
    const event = {
      ...topicEventOf({ ...change, version: 1, at: new Date(0) }, { id: 'i', source }),
      spoil: (written: Record<string, unknown>) => ({ names: Object.keys(written) }),
    };

    expect(writeEvent(event, 'EventGridSchema')).toEqual({ names: expect.arrayContaining(['topic', 'eventType']) });
    expect(writeEvent(event, 'CloudEventSchemaV1_0')).toEqual({ names: expect.arrayContaining(['source', 'type']) });
  });
});
