import { loggableFieldsOf } from '../events/loggable-fields.js';
import type { BlobMetadata, ListedBlob } from '../storage/blob-store.js';
import { REASONS } from '../telemetry/metrics.js';
import { idOfDeadLetter, idOfUndelivered, stageOf } from './ids.js';
import { metadataOf, readDeadLetter } from './store/dead-letter.js';
import { type DeadLetterName, partsOfName, STAGES, type Stage } from './store/names.js';
import type { Undelivered } from './undelivered.js';

/**
 * A dead letter in lists, without its payload and any value of it (P1). A blob of Event Grid holds several events: a field
 * then has each of their values once, with spaces between.
 */
export type ListedDeadLetter = {
  readonly id: string;
  readonly stage: ListedStage;
  readonly reason: string;
  /** '' for an event that reached no workflow. */
  readonly workflow: string;
  /** The code of the error. */
  readonly error: string;
  /** The place in the app's own code that failed, such as `workflows/potassium-alert.js:42`; '' if unknown. */
  readonly frame: string;
  readonly type: string;
  readonly resourceType: string;
  readonly eventId: string;
  /** The time when storage created the blob. */
  readonly at: string;
  readonly redrives: number;
  readonly events: number;
  /** Set if this is the newest version of its resource that has started: see `DeadLetter`. */
  readonly holdsState?: true;
};

/** The fields by which dead letters are filtered and counted. */
export const FILTER_FIELDS = ['stage', 'reason', 'workflow', 'error', 'frame', 'type', 'resourceType'] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

/** The reasons that this version of the app and Event Grid write. Storage may hold others. */
export const KNOWN_REASONS: readonly string[] = [
  ...REASONS,
  'unreadable',
  ...['TimeToLiveExceeded', 'MaxDeliveryAttemptsExceeded', 'UndeliverableDueToClientError'],
];

/** `undelivered`: Event Grid's own dead letters, one blob each. */
export type ListedStage = Stage | 'undelivered';
export const LISTED_STAGES: readonly ListedStage[] = [...STAGES, 'undelivered'];
/** The stages whose dead letters belong to jobs, and so to workflows. */
export const STAGES_WITH_WORKFLOW: readonly ListedStage[] = STAGES.filter((stage) => stage !== 'invalid');

/**
 * Returns the dead letter from the metadata in a listing; undefined without that metadata: then read the blob.
 */
export function fromListing({ name, createdAt, metadata }: ListedBlob): ListedDeadLetter | undefined {
  return metadata?.reason === undefined ? undefined : fromMetadata(name, createdAt, metadata);
}

/** Returns the dead letter from the content of its blob. */
export function fromContent({ name, createdAt }: ListedBlob, content: string): ListedDeadLetter {
  const deadLetter = readDeadLetter(content);
  return fromMetadata(name, createdAt, deadLetter ? metadataOf(deadLetter) : { reason: 'unreadable' });
}

function fromMetadata(name: DeadLetterName, createdAt: Date, metadata: BlobMetadata): ListedDeadLetter {
  const { stage = stageOf(name) ?? 'invalid', redrives = 0 } = partsOfName(name) ?? {};
  const { reason = '', workflow = '', code = '', frame = '', type = '', resourcetype = '', eventid = '' } = metadata;
  const { events = '1', holdsstate } = metadata;
  return {
    id: idOfDeadLetter(name),
    stage,
    reason,
    workflow,
    error: code,
    frame,
    type,
    resourceType: resourcetype,
    eventId: eventid,
    at: createdAt.toISOString(),
    redrives,
    events: Number(events) || 1,
    ...(holdsstate === 'true' && { holdsState: true }),
  };
}

/** Returns the dead letter of a blob of Event Grid; `events` is undefined if the app cannot read the blob. */
export function fromUndelivered(
  { name, createdAt }: ListedBlob,
  events: readonly Undelivered[] | undefined,
): ListedDeadLetter {
  const fields = events?.map(({ delivered }) => loggableFieldsOf(delivered)) ?? [];
  return {
    id: idOfUndelivered(name),
    stage: 'undelivered',
    reason: events ? joined(events.map(({ reason }) => reason)) : 'unreadable',
    workflow: '',
    error: joined(events?.map(({ outcome }) => outcome) ?? []),
    frame: '',
    type: joined(fields.map(({ type }) => type)),
    resourceType: joined(fields.map(({ resourceType }) => resourceType)),
    eventId: fields.length === 1 ? (fields[0]?.eventId ?? '') : '',
    at: createdAt.toISOString(),
    redrives: 0,
    events: fields.length,
  };
}

function joined(words: readonly string[]): string {
  return [...new Set(words)].filter((word) => word !== '').join(' ');
}
