import * as z from 'zod';

export const liveAnswer = z.strictObject({ live: z.literal(true) });
/** The state of each part of storage: `ok`, or the code of its error. */
export const readyAnswer = z.strictObject({ ready: z.boolean(), storage: z.record(z.string(), z.string()) });
/** The answer where the settings are wrong: for each problem the expected value, without the value that was found. */
export const wrongSettingsAnswer = z.looseObject({ problems: z.array(z.string()) });
