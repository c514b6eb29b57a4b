import type { Change, DicomEvent, FhirEvent } from '../events/health-event.js';
import { parseEvent } from '../events/parse.js';

type EnvelopeFields = { id?: string; source?: string; time?: string; version?: number; host?: string };
type FhirFields<R, C> = EnvelopeFields & { change?: C; resourceType?: R; resourceId?: string };
type DicomFields<C> = EnvelopeFields & {
  change?: C;
  partition?: string;
  studyUid?: string;
  seriesUid?: string;
  instanceUid?: string;
};

const SOURCE =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/test/providers/Microsoft.HealthcareApis/workspaces/test';
const STARTS_AT = '2026-01-01T12:00:00.000Z';
const MINUTE_MS = 60_000;

/**
 * Returns a valid FHIR event; by default, the creation of a Patient. Equal fields make equal events, as in a
 * redelivery. Another version makes another event, one minute later for each version.
 * @throws InvalidEventError if the app would not accept an event with these fields.
 */
export function fhirEvent<R extends string = 'Patient', C extends Change = 'created'>(
  fields: FhirFields<R, C> = {},
): FhirEvent<R, C> {
  const { change = 'created', resourceType = 'Patient', resourceId = 'resource-1' } = fields;
  const { version = firstVersionOf(change), host = 'test.fhir.example' } = fields;
  const data = { resourceType, resourceFhirAccount: host, resourceFhirId: resourceId, resourceVersionId: version };
  return parseEvent(envelope(`FhirResource${capital(change)}`, data, { ...fields, version })) as FhirEvent<R, C>;
}

/** Returns a valid DICOM event; by default, the creation of an image. `version` is its sequence number. */
export function dicomEvent<C extends Change = 'created'>(fields: DicomFields<C> = {}): DicomEvent<C> {
  const { change = 'created', studyUid = '1.2.3', seriesUid = '1.2.3.4', instanceUid = '1.2.3.4.5' } = fields;
  const { version = firstVersionOf(change), partition, host = 'test.dicom.example' } = fields;
  const data = {
    partitionName: partition,
    imageStudyInstanceUid: studyUid,
    imageSeriesInstanceUid: seriesUid,
    imageSopInstanceUid: instanceUid,
    serviceHostName: host,
    sequenceNumber: version,
  };
  return parseEvent(envelope(`DicomImage${capital(change)}`, data, { ...fields, version })) as DicomEvent<C>;
}

function envelope(
  type: string,
  data: Readonly<Record<string, unknown>>,
  { id, source = SOURCE, time, version }: EnvelopeFields & { version: number },
): unknown {
  return {
    id: id ?? [type, ...Object.values(data)].join('.'),
    topic: source,
    eventType: `Microsoft.HealthcareApis.${type}`,
    eventTime: time ?? new Date(Date.parse(STARTS_AT) + version * MINUTE_MS).toISOString(),
    data,
  };
}

function firstVersionOf(change: Change): number {
  return change === 'created' ? 1 : 2;
}

function capital(change: Change): Capitalize<Change> {
  return `${change.charAt(0).toUpperCase()}${change.slice(1)}` as Capitalize<Change>;
}
