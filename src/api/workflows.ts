import * as z from 'zod';
import { count, instant } from './common.js';

export const paused = z.strictObject({ since: instant, by: z.string(), why: z.string() });

/**
 * A workflow of this app. Counts and durations are of all instances in the last hour, by spans of ten minutes: of the last
 * 50 to 60 minutes. Durations are in seconds.
 */
const workflowStatus = z.strictObject({
  name: z.string(),
  /** The events for which the workflow runs, such as `fhir Observation created,updated`. */
  on: z.array(z.string()),
  ordering: z.enum(['any', 'latest']),
  timeoutSeconds: z.number(),
  maxTries: count,
  concurrency: count,
  paused: paused.nullable(),
  lastHour: z.strictObject({
    completed: count,
    superseded: count,
    deadLettered: count,
    retried: count,
    durationP50: z.number().nullable(),
    durationP99: z.number().nullable(),
  }),
  /** The circuits of the running instances in which the workflow has failed since its last success. */
  circuits: z.array(
    z.strictObject({
      instance: z.string(),
      state: z.enum(['closed', 'open', 'half-open']),
      failuresInARow: count,
      openSince: instant.nullable(),
      nextProbeAt: instant.nullable(),
    }),
  ),
});
export type Paused = z.infer<typeof paused>;
export const workflowList = z.strictObject({ workflows: z.array(workflowStatus) });
export type WorkflowList = z.infer<typeof workflowList>;
export type WorkflowStatus = z.infer<typeof workflowStatus>;

/** `why`: for the people who find the workflow paused. */
export const pauseBody = z.strictObject({ why: z.string().trim().min(1).max(500) });
export const resumeBody = z.strictObject({});
/**
 * The answer to pause and resume: the state that holds, which can be another person's pause. All instances follow within
 * 10 s.
 */
export const pauseAnswer = z.strictObject({ name: z.string(), paused: paused.nullable() });
export type PauseAnswer = z.infer<typeof pauseAnswer>;
