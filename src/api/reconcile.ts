import * as z from 'zod';
import { count, instant } from './common.js';

const MAX_TEXT_CHARACTERS = 256;
const MAX_TYPES = 100;

const text = z.string().min(1).max(MAX_TEXT_CHARACTERS);
const anyInstant = z.iso.datetime({ offset: true }).transform((at) => new Date(at).toISOString());

/** A request to compare past changes, or to find removed resources. */
export const reconcileBody = z.strictObject({
  since: anyInstant.optional(),
  until: anyInstant.optional(),
  service: text.transform((host) => host.toLowerCase()).optional(),
  types: z.array(text).min(1).max(MAX_TYPES).optional(),
  workflow: text.optional(),
  findRemoved: z.boolean().default(false),
  rowsLost: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export const reconcileAccepted = z.strictObject({ id: z.string(), message: z.string() });

export const reconcileRequest = z.strictObject({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  since: instant.nullable(),
  until: instant.nullable(),
  service: z.string().nullable(),
  types: z.array(z.string()).readonly().nullable(),
  workflow: z.string().nullable(),
  findRemoved: z.boolean(),
  rowsLost: z.boolean(),
  dryRun: z.boolean(),
  askedAt: instant,
  endedAt: instant.nullable(),
  counts: z.record(z.string(), count),
  /** The progress of each part of each service; with `findRemoved` of each service, which has no parts and no times. */
  parts: z.array(
    z.strictObject({
      host: z.string(),
      part: z.string().nullable(),
      upTo: instant.nullable(),
      counts: z.record(z.string(), count),
    }),
  ),
  /** The counts in words. */
  message: z.string(),
});
export type ReconcileRequest = z.infer<typeof reconcileRequest>;

export const reconcileRequests = z.strictObject({ requests: z.array(reconcileRequest) });
