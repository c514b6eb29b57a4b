import { digest } from '../digest.js';
import type { RawEvent } from '../events/accept.js';
import { typeOf } from '../events/kinds.js';
import { RECONCILED_PREFIX } from '../events/reconciled.js';
import type { FoundChange, FoundDicomChange, FoundFhirChange } from './known-changes.js';

/**
 * Returns the event that stands for a found change: a CloudEvent with the data that the service's own event has, so
 * that both have the same `contentDigest`. The service's event id is not in its history, so this id is a digest of the
 * change and its time: each comparison makes the same event of the same change, also of a resource that was deleted and
 * recreated.
 * @param source the workspace of the service: `workspaceOf`
 */
export function foundEvent(change: FoundChange, source: string): RawEvent {
  const type = typeOf(change);
  const { time } = change;
  const { data, ...rest } = change.service === 'fhir' ? fhirPart(change) : dicomPart(change);
  const id = RECONCILED_PREFIX + digest(JSON.stringify([source.toLowerCase(), type, time, Object.values(data)]));
  const raw = { id, source, specversion: '1.0', type, ...rest, time, data };
  return { raw, json: JSON.stringify(raw) };
}

/**
 * Returns the Deleted event of a resource that its service has removed with its history. The id of the event is a digest of
 * the resource and the time of its newest known version, so that each search makes the same event. `at` is its time.
 */
export function removedEvent(change: FoundFhirChange, source: string, at: Date): RawEvent {
  const raw = { ...Object(foundEvent(change, source).raw), time: at.toISOString() };
  return { raw, json: JSON.stringify(raw) };
}

function fhirPart({ host, resourceType, resourceId, version }: FoundFhirChange) {
  return {
    dataschema: `#${version}`,
    subject: `${host}/${resourceType}/${resourceId}`,
    data: { resourceType, resourceFhirAccount: host, resourceFhirId: resourceId, resourceVersionId: version },
  };
}

function dicomPart({ host, partition, studyUid, seriesUid, instanceUid, version }: FoundDicomChange) {
  return {
    subject: `${host}/v1/partitions/${partition}/studies/${studyUid}/series/${seriesUid}/instances/${instanceUid}`,
    data: {
      partitionName: partition,
      imageStudyInstanceUid: studyUid,
      imageSeriesInstanceUid: seriesUid,
      imageSopInstanceUid: instanceUid,
      serviceHostName: host,
      sequenceNumber: version,
    },
  };
}
