import * as z from 'zod';
import { count, errorAnswer, instant } from './common.js';
import { storageCounts } from './stats.js';

/**
 * The last hour by minute, as columns of equal length, the oldest minute first. The last minute is not over yet. `at` is
 * the beginning of a minute in seconds since 1970. Lags are in seconds, null in a minute in which nothing settled.
 */
export const minutes = z.strictObject({
  at: z.array(z.number().int()),
  events: z.array(count),
  completed: z.array(count),
  superseded: z.array(count),
  deadLettered: z.array(count),
  retried: z.array(count),
  lagP50: z.array(z.number().nullable()),
  lagP99: z.array(z.number().nullable()),
  /** Changes that reconciliation has found missing. */
  missing: z.array(count),
});

/** The codes of problems, the worst first. */
export const PROBLEM_CODES = [
  'storage-failed',
  'rows-overdue',
  'event-queue-overdue',
  'lag-high',
  'circuit-open',
  'dead-letters',
  'undelivered',
  'comparing-behind',
  'workflow-paused',
  'instance-silent',
] as const;

/** A problem that a person must solve. `level` red: events are late or lost without help; amber: look at it today. */
export const problem = z.strictObject({
  level: z.enum(['red', 'amber']),
  code: z.enum(PROBLEM_CODES),
  /** The finding in words, and what to do. */
  message: z.string(),
  workflow: z.string().optional(),
});

/** An instance of the app: a process that has written its heartbeat in the last hour. */
export const instance = z.strictObject({
  id: z.string(),
  startedAt: instant,
  seenAt: instant,
  /** The instance that has answered. */
  isThis: z.boolean(),
  state: z.enum(['running', 'stopped', 'silent']),
  /** The rate in the last full 10 s. */
  eventsPerSecond: z.number(),
  minutes,
});

/** The last hour of all instances, and what is in storage. */
export const overview = z.strictObject({
  now: instant,
  level: z.enum(['green', 'amber', 'red']),
  problems: z.array(problem),
  eventsPerSecond: z.number(),
  minutes,
  instances: z.array(instance),
  ...storageCounts.shape,
});
export type Overview = z.infer<typeof overview>;

/**
 * The answer with status 503: storage could not be read. `instances` has at least the one that has answered; problems
 * that only storage can show are missing.
 */
export const overviewWithoutStorage = overview
  .pick({ now: true, level: true, problems: true, eventsPerSecond: true, minutes: true, instances: true })
  .extend(errorAnswer.shape);
export type OverviewWithoutStorage = z.infer<typeof overviewWithoutStorage>;
export type Minutes = z.infer<typeof minutes>;
export type OverviewProblem = z.infer<typeof problem>;

/** An action of a person. `by`: the object id, or `key-holder`. */
export const action = z.strictObject({
  at: instant,
  what: z.enum(['redrive', 'discard', 'pause', 'resume', 'compare']),
  by: z.string(),
  workflow: z.string().optional(),
  why: z.string().optional(),
  /** The number of dead letters by result. Null: the action runs, or its process has ended before it was over. */
  counts: z.record(z.string(), count).nullable(),
});
export const actionList = z.strictObject({ actions: z.array(action) });
export type Action = z.infer<typeof action>;

/** A run of a job that has ended: what the app has just done, of all instances, the newest first. */
export const recentJob = z.strictObject({
  at: instant,
  instance: z.string(),
  eventId: z.string(),
  type: z.string(),
  resourceType: z.string(),
  workflow: z.string(),
  outcome: z.enum(['completed', 'superseded', 'dead-lettered', 'retried']),
  /** The number of the try. */
  try: count,
  /** The run time of the handler. */
  durationMs: z.number().nullable(),
  errorCode: z.string(),
});
export const recent = z.strictObject({ jobs: z.array(recentJob) });
export type RecentJob = z.infer<typeof recentJob>;
