import type { Change } from '../../workflow.js';
import type { DicomChange, FhirChange, ServiceChange } from '../changes.js';

/** An event as published to the topic. */
export type TopicEvent = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** The topic: the Azure resource id of the workspace. */
  readonly source: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: string;
  /** Spoils the written event, for a malformed event. */
  readonly spoil?: (written: Written) => Written;
};

/** An event as a request contains it. */
export type Written = Record<string, unknown>;

/** The schema of the events in a request, as a subscription names it. */
export type DeliverySchema = 'EventGridSchema' | 'CloudEventSchemaV1_0';

/** Returns the event that the services publish for a change. */
export function topicEventOf(change: ServiceChange, { id, source }: { id: string; source: string }): TopicEvent {
  const part = change.service === 'fhir' ? fhirPart(change) : dicomPart(change);
  return { id, source, time: timeText(change.at), ...part };
}

/** Returns the event as a request in that schema contains it. */
export function writeEvent(event: TopicEvent, schema: DeliverySchema): Written {
  const { id, source, subject, data, type, time, dataVersion, spoil } = event;
  const written =
    schema === 'EventGridSchema'
      ? { id, topic: source, subject, data, eventType: type, dataVersion, metadataVersion: '1', eventTime: time }
      : { id, source, specversion: '1.0', type, ...dataSchemaOf(event), subject, time, data };
  return spoil ? spoil(written) : written;
}

/** Returns a time as Azure writes it: with seven digits after the second. */
export function timeText(at: Date): string {
  return at.toISOString().replace('Z', '0000Z');
}

function fhirPart({ change, host, resourceType, resourceId, version }: FhirChange) {
  return {
    type: typeOf('FhirResource', change),
    subject: `${host}/${resourceType}/${resourceId}`,
    data: { resourceType, resourceFhirAccount: host, resourceFhirId: resourceId, resourceVersionId: version },
    dataVersion: String(version),
  };
}

function dicomPart({ change, host, partition, studyUid, seriesUid, instanceUid, sequenceNumber }: DicomChange) {
  return {
    type: typeOf('DicomImage', change),
    subject: `${host}/v1/partitions/${partition}/studies/${studyUid}/series/${seriesUid}/instances/${instanceUid}`,
    data: {
      partitionName: partition,
      imageStudyInstanceUid: studyUid,
      imageSeriesInstanceUid: seriesUid,
      imageSopInstanceUid: instanceUid,
      serviceHostName: host,
      sequenceNumber,
    },
    dataVersion: '1',
  };
}

function typeOf(subject: 'FhirResource' | 'DicomImage', change: Change): string {
  return `Microsoft.HealthcareApis.${subject}${change.charAt(0).toUpperCase()}${change.slice(1)}`;
}

/** The published samples have a data schema for FHIR, and none for DICOM. */
function dataSchemaOf({ type, dataVersion }: TopicEvent): { dataschema?: string } {
  return type.startsWith('Microsoft.HealthcareApis.DicomImage') ? {} : { dataschema: `#${dataVersion}` };
}
