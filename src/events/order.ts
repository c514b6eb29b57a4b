import type { HealthEvent } from './health-event.js';

// Decides which version of a resource is newer, and which version `ordering: 'latest'` runs. The rules L1 to L6 are in
// ARCHITECTURE.md.

/** A version of a resource that a workflow has applied or started. */
export type KnownVersion = {
  readonly version: number;
  readonly time: string | undefined;
  readonly eventKey: string;
  /** The time of the Created, if it was applied or started. Older events are of an earlier resource with this id. */
  readonly createdAt: string | undefined;
};

/** L4: beyond this difference the time of two events decides which is newer, whatever their versions. */
const APART_MS = 5 * 60_000;
/** The difference that is possible between the clocks of one service's nodes. */
const SKEW_MS = 1000;

/**
 * Returns whether `event` is newer than the applied version. The version decides, but versions can start again after a
 * hard delete or with a new service. So L4 and L5 come first.
 */
export function orderOf(
  event: HealthEvent,
  eventKey: string,
  applied: KnownVersion | undefined,
): 'newer' | 'same' | 'older' {
  if (!applied) return 'newer';
  if (applied.eventKey === eventKey) return 'same'; // L6: this very event
  const laterByMs = msBetween(applied.time, event.time);
  if (laterByMs > APART_MS) return 'newer'; // L4: whatever its version
  if (laterByMs < -APART_MS || msBetween(applied.createdAt, event.time) < -SKEW_MS) return 'older';
  return event.version > applied.version || isRecreated(event, laterByMs, applied) ? 'newer' : 'older';
}

/** Returns whether `event` is newer than `other`: by L4, else by version. */
export function isNewer(event: HealthEvent, other: HealthEvent): boolean {
  const laterByMs = msBetween(other.time, event.time);
  return Math.abs(laterByMs) > APART_MS ? laterByMs > 0 : event.version > other.version;
}

/**
 * L5: a Created that is later than the known Created begins a new resource. If no Created is known, this one may belong
 * to the resource whose update was applied before it. Then it must be later by the possible difference of two clocks.
 */
function isRecreated(event: HealthEvent, laterByMs: number, { createdAt }: KnownVersion): boolean {
  if (!isCreation(event) || laterByMs <= 0) return false;
  return createdAt === undefined ? laterByMs >= SKEW_MS : msBetween(createdAt, event.time) > 0;
}

/** Returns the applied version after `event` has been applied. `event` is newer than `before`. */
export function afterApplying(event: HealthEvent, eventKey: string, before: KnownVersion | undefined): KnownVersion {
  const { version, time } = event;
  const isSameResource = before !== undefined && version > before.version;
  const createdAt = isCreation(event) ? time : isSameResource ? before.createdAt : undefined;
  return { version, time, eventKey, createdAt };
}

/** The newest version of a resource that a workflow has applied, and the newest that it has started. */
export type KnownVersions = { readonly applied: KnownVersion | undefined; readonly started: KnownVersion | undefined };

/** Returns whether an event of `ordering: 'latest'` runs, was applied before (L6), or is superseded (L1). */
export function decideVersion(
  event: HealthEvent,
  eventKey: string,
  { applied, started }: KnownVersions,
): 'run' | 'applied' | 'superseded' {
  const toApplied = orderOf(event, eventKey, applied);
  if (toApplied === 'same') return 'applied';
  // L1, L2: only an older version is superseded, so the version that started last runs again.
  const isOlder = toApplied === 'older' || orderOf(event, eventKey, started) === 'older';
  return isOlder ? 'superseded' : 'run';
}

/**
 * Returns the version that started last, once `event` starts. A redrive may start a version again with a corrected payload.
 */
export function afterStarting(event: HealthEvent, eventKey: string, known: KnownVersions): KnownVersion {
  const { started } = known;
  if (started?.eventKey !== eventKey) return afterApplying(event, eventKey, newestOf(known));
  const { version, time } = event;
  return { version, time, eventKey, createdAt: isCreation(event) ? time : started.createdAt };
}

/** Returns `started`, or `applied` if an earlier release of the app has applied a newer version without `started`. */
function newestOf({ applied, started }: KnownVersions): KnownVersion | undefined {
  return started && msBetween(started.time, applied?.time) <= 0 ? started : applied;
}

/** Returns the version as columns of a row. The stored name of `createdAt` is `bornAt`. */
export function rowOfApplied({ version, time = '', eventKey, createdAt = '' }: KnownVersion) {
  return { version, time, eventKey, bornAt: createdAt };
}

/** Returns the version that the columns of a row hold. A row without these columns is older than any event. */
export function appliedOfRow({ version, time, eventKey, bornAt }: Readonly<Record<string, unknown>>): KnownVersion {
  return {
    version: Number(version ?? -1),
    time: String(time ?? '') || undefined,
    eventKey: String(eventKey ?? ''),
    createdAt: String(bornAt ?? '') || undefined,
  };
}

/** Returns a name of the event's resource, the same for all versions. For digests only: it must not be logged. */
export function resourceOf(event: HealthEvent): string {
  return event.service === 'fhir'
    ? JSON.stringify([event.host, event.resourceType, event.resourceId])
    : JSON.stringify([event.host, event.partition, event.studyUid, event.seriesUid, event.instanceUid]);
}

function isCreation(event: HealthEvent): boolean {
  return event.service === 'fhir' && event.change === 'created';
}

/** Returns 0 if a time is unknown, so that the version decides. */
function msBetween(from: string | undefined, to: string | undefined): number {
  return from !== undefined && to !== undefined ? Date.parse(to) - Date.parse(from) : 0;
}
