import { type DicomEvent, digest, shardOf } from '../../workflow.js';

/**
 * Few partitions, so that writes share transactions; each takes 2,000 rows/s. Never change the number: rows would not
 * be found.
 */
const PARTITIONS = 8;

/** The place of a study's rows in `studies` and in `openstudies`. */
export type StudyPlace = { readonly partition: string; readonly key: string };

/** All partitions of `studies` and `openstudies`. */
export const OPEN_PARTITIONS: readonly string[] = Array.from({ length: PARTITIONS }, (_, shard) => String(shard));

/** Returns the place of a study. Keys are digests, because keys reach the logs of storage. */
export function studyPlaceOf({ host, partition, studyUid }: DicomEvent): StudyPlace {
  const named = namedPlaceOf(studyUid);
  return { partition: named.partition, key: `${named.prefix}${digest(JSON.stringify([host, partition]))}` };
}

/** Returns where the studies with this UID are, in all services: neighbours whose keys begin with `prefix`. */
export function namedPlaceOf(studyUid: string): { partition: string; prefix: string } {
  const named = digest(studyUid);
  return { partition: String(shardOf(named, PARTITIONS)), prefix: `${named}.` };
}

/**
 * Returns the place in `studyinstances`. Images of one study share a partition, so a POST writes them in one
 * transaction.
 */
export function instancePlaceOf(event: DicomEvent): { partition: string; key: string } {
  return { partition: studyPlaceOf(event).key, key: digest(JSON.stringify([event.seriesUid, event.instanceUid])) };
}
