import { z } from 'zod';

export const liveAnswer = z.strictObject({ live: z.literal(true) });
/** By part of storage: `ok`, or the code of its error. */
export const readyAnswer = z.strictObject({ ready: z.boolean(), storage: z.record(z.string(), z.string()) });
/** What the health functions answer where the settings are wrong: what is expected, without the values. */
export const wrongSettingsAnswer = z.looseObject({ problems: z.array(z.string()) });
