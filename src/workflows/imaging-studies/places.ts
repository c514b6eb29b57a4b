import { type DicomEvent, digest, neighboursOf, type Place } from '../../workflow.js';

/**
 * Returns the place of a study's rows in `studies` and in `openstudies`. Studies with one UID, in several services, are
 * neighbours.
 */
export function studyPlaceOf({ host, partition: dicomPartition, studyUid }: DicomEvent): Place {
  const { partition, prefix } = neighboursOf(studyUid);
  return { partition, key: `${prefix}${digest(JSON.stringify([host, dicomPartition]))}` };
}

/**
 * Returns the place in `studyinstances`. Images of one study share a partition, so a POST writes them in one
 * transaction.
 */
export function instancePlaceOf(event: DicomEvent): Place {
  return { partition: studyPlaceOf(event).key, key: digest(JSON.stringify([event.seriesUid, event.instanceUid])) };
}
