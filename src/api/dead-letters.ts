import * as z from 'zod';
import { count, instant } from './common.js';

/** The ids of dead letters that were redriven. */
export const outcomesBody = z.strictObject({ ids: z.array(z.string().min(1).max(4096)).min(1).max(1000) });
/**
 * The ids by result, each counted once. `resolved`: the job is completed or superseded, the dead letter was discarded,
 * or its events were imported. `failedAgain`: the same job has a newer dead letter, or the event is still invalid.
 * `waiting`: for the redrive, for the next try, or for storage. `unknown`: no dead letter has this id.
 */
export const outcomesAnswer = z.strictObject({ resolved: count, failedAgain: count, waiting: count, unknown: count });
export type Outcomes = z.infer<typeof outcomesAnswer>;

/** A listed dead letter, without any payload. A blob of Event Grid holds several events, and joins their values. */
const listed = z.strictObject({
  id: z.string(),
  stage: z.string(),
  reason: z.string(),
  workflow: z.string(),
  /** The code of the error. */
  error: z.string(),
  /** The place in the app's code that failed. */
  frame: z.string(),
  type: z.string(),
  resourceType: z.string(),
  eventId: z.string(),
  at: instant,
  redrives: count,
  events: count,
  /** The workflow's tables lack this version of its resource. */
  holdsState: z.literal(true).optional(),
});
export type ListedDeadLetter = z.infer<typeof listed>;

/** `next`: the `after` of the next page, null at the end. A page of a filter that matches few among many can be short. */
const deadLetterPage = z.strictObject({ letters: z.array(listed), next: z.string().nullable() });
export type DeadLetterPage = z.infer<typeof deadLetterPage>;

const group = z.strictObject({
  /** The values by field. */
  by: z.record(z.string(), z.string()),
  letters: count,
  events: count,
  oldestAt: z.string(),
  newestAt: z.string(),
  /** The id of the oldest one, and that of the newest. */
  example: z.string(),
  newest: z.string(),
  /** The number of dead letters that follow a redrive without success. */
  redriven: count,
  /** A list with these has the part from the first to the last dead letter. `after` null: from the beginning. */
  after: z.string().nullable(),
  until: z.string().nullable(),
});
/** The counts of one request. `next`: the `after` with which the next request continues, null at the end. */
const deadLetterGroups = z.strictObject({
  groups: z.array(group),
  letters: count,
  isMore: z.boolean(),
  next: z.string().nullable(),
});
export type DeadLetterGroups = z.infer<typeof deadLetterGroups>;

export const listAnswer = z.union([deadLetterPage, deadLetterGroups]);

const problem = z.looseObject({ path: z.string(), code: z.string() });
/** A dead letter without its payload, and without the message of its error. */
export const shownAnswer = listed.omit({ at: true }).extend({
  isResolved: z.boolean(),
  blob: z.string().optional(),
  tries: count.optional(),
  crashes: count.optional(),
  firstTryAt: z.string().optional(),
  deadLetteredAt: z.string().optional(),
  errorName: z.string().optional(),
  note: z.string().optional(),
  problems: z.array(problem.extend({ message: z.string() })).optional(),
  causes: z.array(z.looseObject({ problems: z.array(problem), events: count })).optional(),
  discarded: z.strictObject({ by: z.string(), why: z.string(), at: z.string() }).optional(),
  edits: z.array(z.string()).optional(),
});
export type ShownDeadLetter = z.infer<typeof shownAnswer>;

/** The dead letter with its payload, which can be clinical data. */
export const payloadAnswer = shownAnswer.extend({ message: z.string().optional(), payload: z.unknown() });
export type DeadLetterPayload = z.infer<typeof payloadAnswer>;

/** `counts`: by result. `message`: the same in words. `stopped`: why the action ended before the last dead letter. */
export const changeAnswer = z.strictObject({
  dryRun: z.boolean(),
  counts: z.record(z.string(), count),
  stopped: z.string().optional(),
  errorCode: z.string().optional(),
  problems: z.array(problem.extend({ id: z.string(), message: z.string() })).optional(),
  message: z.string(),
  next: z.string().nullable(),
});
export type ChangeAnswer = z.infer<typeof changeAnswer>;
