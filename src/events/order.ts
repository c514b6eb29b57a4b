import type { HealthEvent } from './health-event.js';

/** A version of a resource that a workflow has applied, or has started to apply. */
export type Applied = {
  readonly version: number;
  readonly time: string | undefined;
  readonly eventKey: string;
  /** When the resource was created, where that event has been applied. What is older is of a former life of the id. */
  readonly createdAt: string | undefined;
};

const APART_MS = 5 * 60_000;
/** How far the clocks of one service's nodes may be apart. */
const SKEW_MS = 1000;

/**
 * Whether `event` is newer than what has been applied. The version decides, but versions can start again: after a hard
 * delete, or with a service made anew. So an event more than five minutes newer is newer and one more than five
 * minutes older is older, whatever the versions; a FHIR Created with a later time is a new beginning; and what is
 * older than the beginning is older.
 */
export function orderOf(
  event: HealthEvent,
  eventKey: string,
  applied: Applied | undefined,
): 'newer' | 'same' | 'older' {
  if (!applied) return 'newer';
  if (applied.eventKey === eventKey) return 'same';
  const laterByMs = msBetween(applied.time, event.time);
  if (laterByMs > APART_MS) return 'newer';
  if (laterByMs < -APART_MS || msBetween(applied.createdAt, event.time) < -SKEW_MS) return 'older';
  return event.version > applied.version || isRecreated(event, laterByMs, applied) ? 'newer' : 'older';
}

/**
 * A Created after the one that is known is a new life, if it is later at all. The first that is seen may be that of the
 * life whose update was applied before it: then it must be later by as much as the clocks of two nodes may be apart.
 */
function isRecreated(event: HealthEvent, laterByMs: number, { createdAt }: Applied): boolean {
  if (!isCreation(event) || laterByMs <= 0) return false;
  return createdAt === undefined ? laterByMs >= SKEW_MS : msBetween(createdAt, event.time) > 0;
}

/** What has been applied once `event` is, which is newer than `before`. */
export function afterApplying(event: HealthEvent, eventKey: string, before: Applied | undefined): Applied {
  const { version, time } = event;
  const isSameResource = before !== undefined && version > before.version;
  const createdAt = isCreation(event) ? time : isSameResource ? before.createdAt : undefined;
  return { version, time, eventKey, createdAt };
}

/** The newest versions of a resource that a workflow has applied, and that it has started to apply. */
export type Known = { readonly applied: Applied | undefined; readonly started: Applied | undefined };

/**
 * What becomes of an event of `ordering: 'latest'`.
 *
 * L1: a version that is older than the newest one that has started is superseded, whether the newest one completes, is
 *     tried again, or ends as a dead letter. So nothing that a workflow writes for a resource ever goes back.
 * L2: the version that has started runs again: its next try, and its redrive. An older one does not.
 */
export function decideVersion(
  event: HealthEvent,
  eventKey: string,
  { applied, started }: Known,
): 'run' | 'applied' | 'superseded' {
  const toApplied = orderOf(event, eventKey, applied);
  if (toApplied === 'same') return 'applied';
  const isOlder = toApplied === 'older' || orderOf(event, eventKey, started) === 'older';
  return isOlder ? 'superseded' : 'run';
}

/** The newest version that has started, once `event` starts. Its payload may have been corrected since it first started. */
export function afterStarting(event: HealthEvent, eventKey: string, known: Known): Applied {
  const { started } = known;
  if (started?.eventKey !== eventKey) return afterApplying(event, eventKey, newestOf(known));
  const { version, time } = event;
  return { version, time, eventKey, createdAt: isCreation(event) ? time : started.createdAt };
}

/** `started`, but where an earlier release of the app, which knows of no `started`, has applied a version since. */
function newestOf({ applied, started }: Known): Applied | undefined {
  return started && msBetween(started.time, applied?.time) <= 0 ? started : applied;
}

/** As properties of a row, and back. A row without them is one to which nothing has been applied: all is newer. */
export function rowOfApplied({ version, time = '', eventKey, createdAt = '' }: Applied) {
  return { version, time, eventKey, bornAt: createdAt };
}

export function appliedOfRow({ version, time, eventKey, bornAt }: Readonly<Record<string, unknown>>): Applied {
  return {
    version: Number(version ?? -1),
    time: String(time ?? '') || undefined,
    eventKey: String(eventKey ?? ''),
    createdAt: String(bornAt ?? '') || undefined,
  };
}

/** The resource an event is about, the same for each of its versions. Opaque texts may be made of it, never logs. */
export function resourceOf(event: HealthEvent): string {
  return event.service === 'fhir'
    ? JSON.stringify([event.host, event.resourceType, event.resourceId])
    : JSON.stringify([event.host, event.partition, event.studyUid, event.seriesUid, event.instanceUid]);
}

function isCreation(event: HealthEvent): boolean {
  return event.service === 'fhir' && event.change === 'created';
}

/** 0 where one is not known: then it says nothing. */
function msBetween(from: string | undefined, to: string | undefined): number {
  return from !== undefined && to !== undefined ? Date.parse(to) - Date.parse(from) : 0;
}
