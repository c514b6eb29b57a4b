import { loggableFieldsOf, typesOf } from '../../events/loggable-fields.js';
import { parseJson } from '../../json-text.js';
import type { Address } from '../../storage/address.js';
import type { BlobMetadata } from '../../storage/blob-store.js';
import type { Stage } from './names.js';

/** A job that failed for good, or events that the app cannot handle. */
export type DeadLetter = {
  stage: Stage;
  /** The job; or, for invalid events, which have no job, the day of a ledger table. */
  origin: { kind: 'job'; address: Address; redrives: number } | { kind: 'event'; day: string };
  reason: string;
  workflow?: string;
  /** Set for a long job, which the queue `due-long` runs. */
  isLong?: true;
  /** The digest of the corrected payload that ran: see src/dead-letters/edits.ts. */
  edit?: string;
  /**
   * Set with `ordering: 'latest'` if no newer version of the resource had started when this dead letter was written. Older
   * versions are superseded, so the workflow's tables lack this version until a redrive or a newer version has run.
   */
  holdsState?: true;
  /** `message` must quote no value of the payload (P2). `frame`: the place in the app's own code that failed. */
  error: { name: string; code: string; message: string; frame?: string };
  problems?: Problems;
  /** Only for several invalid events: `events` is the number of successive events in `event` with these problems. */
  causes?: readonly { problems: Problems; events: number }[];
  tries: number;
  crashes?: number;
  firstTryAt?: string;
  deadLetteredAt: string;
  /** The event as the function received it. With `causes`, a list of events. */
  event: unknown;
};

type Problems = readonly { path: string; code: string }[];

/** A dead letter as its blob holds it. */
export type StoredDeadLetter = Omit<DeadLetter, 'origin'> & {
  address?: Address;
  redrives: number;
  discarded?: DiscardNote;
};

/** The note of a discarded dead letter: the person, the reason, and the time. */
export type DiscardNote = { readonly by: string; readonly why: string; readonly at: string };

/** Blob metadata is limited to 8 KB, and an event id may have 1,024 characters of up to four bytes. */
const MAX_EVENT_ID_CHARACTERS = 256;

/** Returns the events of a dead letter, each as the function received it. */
export function eventsOfDeadLetter({ event, causes }: Pick<DeadLetter, 'event' | 'causes'>): readonly unknown[] {
  return causes && Array.isArray(event) ? event : [event];
}

/** Returns the dead letter in `content`; undefined if `content` is not a dead letter. */
export function readDeadLetter(content: string): StoredDeadLetter | undefined {
  const deadLetter = parseJson(content);
  const { reason, error, event, causes } = Object(deadLetter) as Record<string, unknown>;
  const isDeadLetter = typeof reason === 'string' && typeof Object(error).code === 'string' && event !== undefined;
  if (causes !== undefined && !(Array.isArray(causes) && Array.isArray(event))) return undefined;
  return isDeadLetter ? (deadLetter as StoredDeadLetter) : undefined;
}

/** Returns the blob metadata of a dead letter, which lists and filters read. */
export function metadataOf({
  reason,
  workflow = '',
  error,
  event,
  causes,
  holdsState,
}: StoredDeadLetter): BlobMetadata {
  if (causes) {
    const events = eventsOfDeadLetter({ event, causes });
    return { reason, code: error.code, type: typesOf(events).join(' '), events: String(events.length) };
  }
  const { eventId, type, resourceType } = loggableFieldsOf(event);
  return {
    reason,
    workflow,
    code: error.code,
    ...(error.frame && { frame: error.frame }),
    type,
    resourcetype: resourceType,
    ...(eventId.length <= MAX_EVENT_ID_CHARACTERS && { eventid: eventId }),
    ...(holdsState && { holdsstate: 'true' }),
  };
}
