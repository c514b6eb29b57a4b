import { acceptEvent } from '../../src/events/accept.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { foundEvent } from '../../src/reconcile/found-event.js';
import type { FoundChange } from '../../src/reconcile/known-changes.js';
import { topicEventOf, writeEvent } from '../../src/simulator/event-grid/topic-event.js';

const SOURCE = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/Clinic';
const TIME = '2026-01-01T12:00:00.123Z';
const FHIR = {
  service: 'fhir',
  host: 'clinic-a.fhir.azurehealthcareapis.com',
  resourceType: 'Patient',
  resourceId: 'p1',
  time: TIME,
} as const;
const DICOM = {
  service: 'dicom',
  host: 'clinic-b.dicom.azurehealthcareapis.com',
  partition: 'Microsoft.Default',
  studyUid: '1.2',
  seriesUid: '1.2.3',
  instanceUid: '1.2.3.4',
  time: TIME,
} as const;
const CHANGES: readonly FoundChange[] = [
  { ...FHIR, change: 'created', version: 1 },
  { ...FHIR, change: 'updated', version: 2 },
  { ...FHIR, change: 'deleted', version: 3 },
  { ...DICOM, change: 'created', version: 11 },
  { ...DICOM, change: 'updated', version: 12 },
  { ...DICOM, change: 'deleted', version: 13 },
];
/** The samples of Azure's documentation, except the placeholders of a template. */
const SAMPLES = [
  {
    id: 'd674b9b7-7d1c-9b0a-8c48-139f3eb86c48',
    source: SOURCE,
    specversion: '1.0',
    type: 'Microsoft.HealthcareApis.FhirResourceUpdated',
    dataschema: '#2',
    subject: 'clinic-a.fhir.azurehealthcareapis.com/Patient/p1',
    time: '2026-01-01T12:00:00.1236789Z',
    data: {
      resourceType: 'Patient',
      resourceFhirAccount: 'clinic-a.fhir.azurehealthcareapis.com',
      resourceFhirId: 'p1',
      resourceVersionId: 2,
    },
  },
  {
    source: SOURCE,
    subject:
      'clinic-b.dicom.azurehealthcareapis.com/v1/partitions/Microsoft.Default/studies/1.2/series/1.2.3/instances/1.2.3.4',
    type: 'Microsoft.HealthcareApis.DicomImageUpdated',
    time: '2026-01-01T12:00:00.1236789Z',
    id: '7e8aca04-e815-4387-82a8-9fcf15a3114b',
    data: {
      partitionName: 'Microsoft.Default',
      imageStudyInstanceUid: '1.2',
      imageSeriesInstanceUid: '1.2.3',
      imageSopInstanceUid: '1.2.3.4',
      serviceHostName: 'clinic-b.dicom.azurehealthcareapis.com',
      sequenceNumber: 12,
    },
    specversion: '1.0',
  },
];

describe('when a change is found', () => {
  it.each(CHANGES)(
    'given $service $change, then the app accepts its event, with the fields of the change',
    (change) => {
      const event = acceptEvent(foundEvent(change, SOURCE), { workspaces: [SOURCE.toLowerCase()] });

      expect(event).toMatchObject({ ...change, source: SOURCE });
    },
  );

  it.each(SAMPLES)(
    'given the sample of $type, then the event differs from the sample only in id and time',
    (sample) => {
      const fields = sample.type.includes('Fhir') ? { ...FHIR, version: 2 } : { ...DICOM, version: 12 };
      const { raw, json } = foundEvent({ ...fields, change: 'updated' }, SOURCE);

      expect(raw).toEqual({ ...sample, id: expect.any(String), time: TIME });
      expect(JSON.parse(json)).toEqual(raw);
      expect(keyOf(parseEvent(raw)).contentDigest).toBe(keyOf(parseEvent(sample)).contentDigest);
    },
  );

  it.each(CHANGES)(
    'given $service $change in the simulator, then the simulated event has the same content digest',
    (change) => {
      const { change: kind, time, ...of } = change;
      const at = new Date(time);
      const published = topicEventOf(
        of.service === 'fhir' ? { ...of, change: kind, at } : { ...of, change: kind, at, sequenceNumber: of.version },
        { id: '7e8aca04-e815-4387-82a8-9fcf15a3114b', source: SOURCE.toUpperCase() },
      );
      const simulated = keyOf(parseEvent(writeEvent(published, 'CloudEventSchemaV1_0')));
      const found = keyOf(parseEvent(foundEvent(change, SOURCE).raw));

      expect({ ...found, id: '' }).toEqual({ ...simulated, id: '' });
      expect(found.id).not.toBe(simulated.id);
    },
  );

  it('given the same change twice, then the id is the same; given another time, version, change or host, then it differs', () => {
    const [created] = CHANGES as [FoundChange];
    const changes = [
      created,
      { ...created },
      { ...created, time: '2026-01-01T12:00:00.124Z' },
      { ...created, version: 2 },
      { ...created, change: 'deleted' as const },
      { ...created, host: 'clinic-c.fhir.azurehealthcareapis.com' },
    ];

    const ids = changes.map((change) => parseEvent(foundEvent(change, SOURCE).raw).id);

    expect(ids[0]).toMatch(/^reconciled-[\w-]{22}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(5);
  });

  it('given an id that is longer than an event may hold, then the app does not accept the event', () => {
    const change = { ...FHIR, change: 'created', version: 1, resourceId: 'x'.repeat(2000) } as const;

    expect(acceptEvent(foundEvent(change, SOURCE), {})).toMatchObject({ reason: 'invalid' });
  });
});
