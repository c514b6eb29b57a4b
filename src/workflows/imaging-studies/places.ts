import { type DicomEvent, digest, shardOf } from '../../workflow.js';

/** Few, so that writes share transactions; 2,000 rows/s each. A constant: with another number, rows would not be found. */
const PARTITIONS = 8;

/** Where the rows of a study are: in `studies`, and in `openstudies`, by partition and key. */
export type StudyPlace = { readonly partition: string; readonly key: string };

export const OPEN_PARTITIONS: readonly string[] = Array.from({ length: PARTITIONS }, (_, shard) => String(shard));

/** Keys end up in the logs of storage, so they are digests. Of the same study in several services, they are neighbours. */
export function studyPlaceOf({ host, partition, studyUid }: DicomEvent): StudyPlace {
  const named = namedPlaceOf(studyUid);
  return { partition: named.partition, key: `${named.prefix}${digest(JSON.stringify([host, partition]))}` };
}

/** Keys of the study of this name in whatever service begin with `prefix`. */
export function namedPlaceOf(studyUid: string): { partition: string; prefix: string } {
  const named = digest(studyUid);
  return { partition: String(shardOf(named, PARTITIONS)), prefix: `${named}.` };
}

/** In `studyinstances`. The rows of a study share a partition: what a POST brings of it leaves in one transaction. */
export function instancePlaceOf(event: DicomEvent): { partition: string; key: string } {
  return { partition: studyPlaceOf(event).key, key: digest(JSON.stringify([event.seriesUid, event.instanceUid])) };
}
