import * as z from 'zod';

// The answers of the HTTP API, as schemas: the functions are typed by them, the page shares their types, OpenAPI is made
// from them, and tests parse every answer with them.

/** A time as ISO 8601 in UTC. */
export const instant = z.iso.datetime();
export const count = z.number().int().min(0);

/** An error as every function answers it: a code for scripts, a message for people. Neither holds data of an event. */
export const errorAnswer = z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) });
