import type { InvalidEventError } from '../events/invalid-event-error.js';
import { dayOfRaw } from '../events/key.js';
import { loggableFieldsOf, typesOf } from '../events/loggable-fields.js';
import { toJson } from '../json-text.js';
import type { Address } from './address.js';
import type { About, BlobStore } from './blob-store.js';
import type { Failing } from './ledger.js';
import { nameOfBatchLetter, nameOfInvalidLetter, nameOfJobLetter, STAGES, type Stage } from './letter-names.js';
import { pendingLetters } from './pending-letters.js';

export { STAGES, type Stage } from './letter-names.js';

/**
 * What nobody could act on, one blob each: `pending/<stage>/<yyyy-mm-dd>/<digest>.<redrives>.json`, and once it is over
 * `resolved/` with the same rest. The name is a function of the job and its redrives, or of an invalid payload, and it
 * is created only where there is none: two writers, or one that dies and comes back, make one dead letter. A dead letter
 * of several invalid events has `causes`.
 *
 * Moving is a copy, then a delete: dies in between, it is in both places and counts as resolved. So does one that a
 * former holder of the job writes very late, after it was moved.
 */
export type DeadLetters = {
  /** Nothing happens where it is there already. */
  write(letter: DeadLetter): Promise<void>;
  /** Moves those of this job to resolved/ whose number of redrives is below `before`. */
  resolve(job: { address: Address; stages: readonly Failing[] }, before: number): Promise<void>;
  /** Moves the one of this name, if it is pending; `change` its content on the way. */
  move(name: string, change?: (letter: StoredLetter) => StoredLetter): Promise<void>;
  /** How many are pending, by stage and by reason, counting up to `most`. */
  count(most: number): Promise<{
    byStage: Record<Stage, number>;
    byReason: Record<string, number>;
    isMore: boolean;
    oldestAt: Date | undefined;
  }>;
};

export type DeadLetter = {
  stage: Stage;
  /** Of an invalid event there is no job. */
  of: { kind: 'job'; address: Address; redrives: number } | { kind: 'event'; day: string };
  reason: string;
  workflow?: string;
  /** The job runs for longer than a delivery may. */
  isLong?: true;
  /** Which corrected payload was run: see src/dead-letters/edits.ts. */
  edit?: string;
  /**
   * Of `ordering: 'latest'`: no newer version of the resource had started when this was written. Older versions do not
   * run any more, so the workflow's tables lack this version until the job is redriven, or until a newer version runs.
   */
  holdsState?: true;
  /** Whatever is in `message` must not come from the payload. */
  error: { name: string; code: string; message: string };
  problems?: Problems;
  /** Only in a dead letter of several invalid events: the problems of the first `events` of them, of the next, … */
  causes?: readonly { problems: Problems; events: number }[];
  tries: number;
  crashes?: number;
  firstTryAt?: string;
  deadLetteredAt: string;
  /** The event as the function received it. With `causes`, a list of events. */
  event: unknown;
};

type Problems = readonly { path: string; code: string }[];

/** As it is in the blob. */
export type StoredLetter = Omit<DeadLetter, 'of'> & {
  address?: Address;
  redrives: number;
  /** Who has put it away, and why. */
  discarded?: { by: string; why: string; at: string };
};

/** Storage takes 8 KB of them; an id of an event may have 1,024 characters, of three bytes and more. */
const LONGEST_TOLD = 256;

export function createDeadLetters(deps: { blobs: BlobStore }): DeadLetters {
  const { blobs } = deps;
  return {
    async write(letter) {
      const { of, ...rest } = letter;
      const isJob = of.kind === 'job';
      const name = isJob ? nameOfJobLetter(letter.stage, of.address, of.redrives) : nameOfInvalid(of.day, letter);
      const stored = { ...rest, ...(isJob ? { address: of.address, redrives: of.redrives } : { redrives: 0 }) };
      await create(`pending/${name}`, stored);
    },

    async resolve({ address, stages }, before) {
      for (let redrives = 0; redrives < before; redrives += 1) {
        for (const stage of stages) await move(nameOfJobLetter(stage, address, redrives));
      }
    },

    move,

    async count(most) {
      const byStage = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
      const byReason: Record<string, number> = {};
      let oldestAt: Date | undefined;
      let all = 0;
      for (const stage of STAGES) {
        for await (const { letters } of pendingLetters(blobs, stage)) {
          for (const { createdAt, about } of letters) {
            const reason = about?.reason ?? 'unknown';
            byStage[stage] += 1;
            byReason[reason] = (byReason[reason] ?? 0) + 1;
            all += 1;
            if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
            if (all >= most) return { byStage, byReason, isMore: true, oldestAt };
          }
        }
      }
      return { byStage, byReason, isMore: false, oldestAt };
    },
  };

  // Moving             dies before it: the next one does it; after the copy: in both places, and resolved for everybody;
  //                    two at once: the first copy stands, and the second delete finds nothing.
  async function move(name: string, change?: (letter: StoredLetter) => StoredLetter): Promise<void> {
    const content = await blobs.read(`pending/${name}`);
    if (content === undefined) return;
    const letter = readLetter(content);
    if (!letter) await blobs.create(`resolved/${name}`, content);
    else if (change) await create(`resolved/${name}`, change(letter));
    else await blobs.create(`resolved/${name}`, content, { about: aboutLetter(letter) });
    await blobs.delete(`pending/${name}`);
  }

  async function create(name: string, letter: StoredLetter): Promise<void> {
    await blobs.create(name, toJson(letter), { about: aboutLetter(letter) });
  }
}

function nameOfInvalid(day: string, letter: Pick<DeadLetter, 'event' | 'causes'>): string {
  return letter.causes ? nameOfBatchLetter(day, eventsOfLetter(letter)) : nameOfInvalidLetter(day, letter.event);
}

/** The events that it holds, each as the function received it. */
export function eventsOfLetter({ event, causes }: Pick<DeadLetter, 'event' | 'causes'>): readonly unknown[] {
  return causes && Array.isArray(event) ? event : [event];
}

/** Of an event that is none of ours, raw as it came. */
export function letterOfInvalid(raw: unknown, error: InvalidEventError, now: Date): DeadLetter {
  return {
    stage: 'invalid',
    of: { kind: 'event', day: dayOfRaw(raw) },
    reason: error.reason,
    error: { name: error.name, code: error.reason, message: error.message },
    problems: error.problems,
    tries: 0,
    deadLetteredAt: now.toISOString(),
    event: raw,
  };
}

/** An event that is none of ours, its JSON text, and why. */
export type InvalidEvent = { readonly raw: unknown; readonly json: string; readonly error: InvalidEventError };

/**
 * Of several events that are invalid for the same reason, in one dead letter. Its name and content follow from the
 * events and their order alone, so a redelivery of the same POST makes the same dead letter.
 */
export function letterOfInvalidBatch(events: readonly InvalidEvent[], now: Date): DeadLetter {
  const byCause = new Map<string, InvalidEvent[]>();
  for (const event of events) {
    const cause = toJson(event.error.problems);
    const same = byCause.get(cause);
    if (same) same.push(event);
    else byCause.set(cause, [event]);
  }
  const groups = [...byCause.values()];
  const [{ error }] = events as [InvalidEvent];
  const days = new Set(events.map(({ raw }) => dayOfRaw(raw)));
  return {
    stage: 'invalid',
    of: { kind: 'event', day: days.size === 1 ? ([...days][0] as string) : 'undated' },
    reason: error.reason,
    error: { name: error.name, code: error.reason, message: `${events.length} events of one delivery are invalid.` },
    causes: groups.map((group) => ({ problems: (group[0] as InvalidEvent).error.problems, events: group.length })),
    tries: 0,
    deadLetteredAt: now.toISOString(),
    event: groups.flatMap((group) => group.map(({ raw }) => raw)),
  };
}

/** Undefined where it is none, by whoever has written it. */
export function readLetter(content: string): StoredLetter | undefined {
  try {
    const letter: unknown = JSON.parse(content);
    const { reason, error, event, causes } = Object(letter) as Record<string, unknown>;
    const isOne = typeof reason === 'string' && typeof Object(error).code === 'string' && event !== undefined;
    if (causes !== undefined && !(Array.isArray(causes) && Array.isArray(event))) return undefined;
    return isOne ? (letter as StoredLetter) : undefined;
  } catch {
    return undefined;
  }
}

/** What is told of a letter in lists, and asked for in filters. */
export function aboutLetter({ reason, workflow = '', error, event, causes, holdsState }: StoredLetter): About {
  if (causes) {
    const events = eventsOfLetter({ event, causes });
    return { reason, code: error.code, type: typesOf(events).join(' '), events: String(events.length) };
  }
  const { eventId, type, resourceType } = loggableFieldsOf(event);
  return {
    reason,
    workflow,
    code: error.code,
    type,
    resourcetype: resourceType,
    ...(eventId.length <= LONGEST_TOLD && { eventid: eventId }),
    ...(holdsState && { holdsstate: 'true' }),
  };
}
