import * as z from 'zod';
import { count, instant } from './common.js';

/**
 * A step in the story of a job. `redriven`: claimed by a redrive, which reopened the job. `wait`: a retry that does not
 * count as a try. `code`: of an error. `until`: when the job is to run again. `deadLetter`: its id.
 */
const step = z.strictObject({
  at: instant,
  what: z.enum(['claimed', 'taken-over', 'retry', 'wait', 'completed', 'superseded', 'dead-lettered', 'redriven']),
  code: z.string().optional(),
  until: instant.optional(),
  deadLetter: z.string().optional(),
});
export type Step = z.infer<typeof step>;

const jobStatus = z.strictObject({
  status: z.enum(['running', 'waiting', 'completed', 'superseded', 'dead-lettered']),
  tries: count,
  nextTryAt: instant.optional(),
  redrives: count.optional(),
  /** The error code of the last try. */
  error: z.string().optional(),
  /** The oldest step is first. Many steps: only the first four and the last ones. Absent before the job has begun. */
  steps: z.array(step).optional(),
  /** The number of steps that are left out after the fourth. */
  stepsLeftOut: count.optional(),
  /** The id of the job's last dead letter, pending or resolved. */
  deadLetter: z.string().optional(),
});
export type JobStatus = z.infer<typeof jobStatus>;

const eventStatus = z.strictObject({
  id: z.string(),
  type: z.string(),
  source: z.string(),
  time: z.string().nullable(),
  state: z.enum(['open', 'settled']),
  /** The status of each workflow's job. */
  workflows: z.record(z.string(), jobStatus),
});
export const eventsAnswer = z.strictObject({ events: z.array(eventStatus) });
export type EventStatus = z.infer<typeof eventStatus>;

const text = z.string().min(1).max(256);
const host = text.transform((name) => name.toLowerCase());
/** The version; if absent, the newest versions that are known. */
const version = z.number().int().min(1).optional();

/** A version of a resource, or an image with its sequence number in the change feed. */
export const changeBodies = {
  fhir: z.strictObject({ host, resourceType: text, resourceId: text, version }),
  dicom: z.strictObject({
    host,
    partition: text.default('Microsoft.Default'),
    studyUid: text,
    seriesUid: text,
    instanceUid: text,
    version,
  }),
};
