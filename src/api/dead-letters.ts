import { z } from 'zod';
import { count } from './common.js';

/** POST /api/dead-letters/outcomes, level admin: what became of dead letters that were redriven. */
export const outcomesBody = z.strictObject({ ids: z.array(z.string().min(1).max(4096)).min(1).max(1000) });
/**
 * Each id counts once. `resolved`: the job is completed or superseded, the dead letter was discarded, or its events were
 * imported. `failedAgain`: the same job has a newer dead letter, or the invalid event is invalid still. `waiting`: for the
 * redrive, or for the next try of the job. `unknown`: no dead letter has this id.
 */
export const outcomesAnswer = z.strictObject({ resolved: count, failedAgain: count, waiting: count, unknown: count });
export type Outcomes = z.infer<typeof outcomesAnswer>;
