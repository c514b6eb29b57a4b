import { z } from 'zod';

/** `signIn`: whether the caller can, or must, sign in; the page asks this before anything else. */
export const liveAnswer = z.strictObject({ live: z.literal(true), signIn: z.enum(['off', 'possible', 'required']) });
/** By part of storage: `ok`, or the code of its error. */
export const readyAnswer = z.strictObject({ ready: z.boolean(), storage: z.record(z.string(), z.string()) });
/** The answer where the settings are wrong: the expected values, without those that were found. */
export const wrongSettingsAnswer = z.looseObject({ problems: z.array(z.string()) });
