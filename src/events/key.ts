import { digest } from '../digest.js';
import type { HealthEvent } from './health-event.js';
import { toIsoUtc } from './time.js';

/** What makes an event that event: the same for each delivery of it, in either schema, to every process. */
export type EventKey = {
  /** yyyymmdd, UTC, of the event's own time, or `undated`. Never today: a redelivery tomorrow is the same event. */
  readonly day: string;
  /** Digest of the event id alone: all that one id has can be looked up by it. */
  readonly id: string;
  /** Digest of workspace, type and data: a reused id with other data is another event. */
  readonly contentDigest: string;
};

/** A time outside of these is a sender's mistake (0001-01-01, a broken clock), and would make a table of its own. */
const FIRST_YEAR = '2015';
const LAST_YEAR = '2100';

/** The key of `event`. */
export function keyOf(event: HealthEvent): EventKey {
  // JSON of an array is injective: no two lists of fields run together into the same text.
  return { day: dayOf(event.time), id: digest(event.id), contentDigest: digest(JSON.stringify(contentOf(event))) };
}

/** The day that a normalised time is on. */
export function dayOf(time: string | undefined): string {
  if (time === undefined) return 'undated';
  const year = time.slice(0, 4); // a year before 0 or after 9999 has a sign and six digits: '-000', '+010'
  return year >= FIRST_YEAR && year <= LAST_YEAR ? year + time.slice(5, 7) + time.slice(8, 10) : 'undated';
}

/** The day of what is no event: its date may still be readable. */
export function dayOfRaw(raw: unknown): string {
  const { eventTime, time } = Object(raw) as { eventTime?: unknown; time?: unknown };
  const spelling = [eventTime, time].find((value) => typeof value === 'string');
  return dayOf(typeof spelling === 'string' ? toIsoUtc(spelling) : undefined);
}

function contentOf(event: HealthEvent): (string | number)[] {
  const workspace = event.source.toLowerCase(); // Azure resource ids compare without case
  const { type, host, version } = event;
  switch (event.service) {
    case 'fhir':
      return [workspace, type, host, event.resourceType, event.resourceId, version];
    case 'dicom':
      return [workspace, type, host, event.partition, event.studyUid, event.seriesUid, event.instanceUid, version];
    default:
      throw new TypeError(`unhandled ${JSON.stringify(event satisfies never)}`);
  }
}
