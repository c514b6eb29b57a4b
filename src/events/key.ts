import { digest } from '../digest.js';
import type { HealthEvent } from './health-event.js';
import { toIsoUtc } from './time.js';

/** The identity of an event: the same for each of its deliveries, in both schemas, in every process. */
export type EventKey = {
  /** yyyymmdd, UTC, of the event's own time, or `undated`. Not the day of the delivery: a redelivery comes later. */
  readonly day: string;
  /** Digest of the event id alone, to look up all events of one id. */
  readonly id: string;
  /** Digest of workspace, type and data. A reused id with other data is another event. */
  readonly contentDigest: string;
};

/** Other years are mistakes of a sender (0001-01-01, a broken clock), and each of their days would get a table. */
const FIRST_YEAR = '2015';
const LAST_YEAR = '2100';

/** Returns the key of `event`, a function of the event alone. */
export function keyOf(event: HealthEvent): EventKey {
  // JSON of an array is injective: two different lists of fields never give the same text.
  return { day: dayOf(event.time), id: digest(event.id), contentDigest: digest(JSON.stringify(contentOf(event))) };
}

/** Returns the day of a normalised time, as `EventKey.day`. */
export function dayOf(time: string | undefined): string {
  if (time === undefined) return 'undated';
  const year = time.slice(0, 4); // a year before 0 or after 9999 has a sign and six digits: '-000', '+010'
  return year >= FIRST_YEAR && year <= LAST_YEAR ? year + time.slice(5, 7) + time.slice(8, 10) : 'undated';
}

/** Returns the day of an invalid event, if its time is readable; else `undated`. */
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
