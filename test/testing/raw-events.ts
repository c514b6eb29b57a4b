import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import type { DicomEvent, FhirEvent, HealthEvent } from '../../src/workflow.js';

/** An event of the FHIR service as Event Grid sends it, in its own schema. */
export function rawFhirEvent(fields: { id?: string; resourceId?: string; version?: number; time?: string } = {}) {
  return rawOfFhir(fhirEvent({ id: 'event-1', resourceId: 'patient-1', ...fields }));
}

export function rawOfFhir({ id, source, type, time, ...data }: FhirEvent) {
  return {
    id,
    topic: source,
    eventType: type,
    eventTime: time,
    data: {
      resourceType: data.resourceType,
      resourceFhirAccount: data.host,
      resourceFhirId: data.resourceId,
      resourceVersionId: data.version,
    },
  };
}

/** An event of the DICOM service, as a CloudEvent. */
export function rawDicomEvent() {
  return rawOfDicom(dicomEvent({ id: 'event-2' }));
}

export function rawOf(event: HealthEvent) {
  return event.service === 'fhir' ? rawOfFhir(event) : rawOfDicom(event);
}

export function rawOfDicom({ id, source, type, time, ...data }: DicomEvent) {
  return {
    specversion: '1.0',
    id,
    source,
    type,
    time,
    data: {
      partitionName: data.partition,
      imageStudyInstanceUid: data.studyUid,
      imageSeriesInstanceUid: data.seriesUid,
      imageSopInstanceUid: data.instanceUid,
      serviceHostName: data.host,
      sequenceNumber: data.version,
    },
  };
}
