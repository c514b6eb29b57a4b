import { z } from 'zod';
import { count } from './common.js';

/** POST /api/dead-letters/outcomes, level admin: what became of dead letters that were redriven. */
export const outcomesBody = z.strictObject({ ids: z.array(z.string().min(1).max(4096)).min(1).max(1000) });
/**
 * `resolved`: the job has settled, or the dead letter was discarded. `failedAgain`: a newer dead letter of the same job
 * is pending. `waiting`: neither yet. `unknown`: no dead letter has this id.
 */
export const outcomesAnswer = z.strictObject({ resolved: count, failedAgain: count, waiting: count, unknown: count });
export type Outcomes = z.infer<typeof outcomesAnswer>;
