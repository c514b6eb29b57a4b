import * as z from 'zod';
import { count, instant } from './common.js';

const circuit = z.strictObject({
  state: z.enum(['closed', 'open', 'half-open']),
  failuresInARow: count,
  openSince: instant.optional(),
  openUntil: instant.optional(),
});
const thisInstance = z.strictObject({
  id: z.string(),
  since: instant,
  counters: z.record(z.string(), z.number()),
  circuits: z.record(z.string(), circuit),
});
const failed = z.strictObject({ error: z.string() });

const waitingCount = z.strictObject({ rows: count, isMore: z.boolean(), earliestDueAt: instant.nullable() });
const deadLetterCount = z.strictObject({
  pending: z.record(z.string(), count),
  byReason: z.record(z.string(), count),
  isMore: z.boolean(),
  oldestAt: instant.nullable(),
});
const undeliveredCount = z.union([
  z.strictObject({ blobs: count, unreadable: count, isMore: z.boolean(), oldestAt: instant.nullable() }),
  failed,
]);
/** Messages of the queue from which the app takes events, and those that the host could not decode. */
const eventQueueCount = z.union([
  z.strictObject({ messages: count, poisoned: count, oldestAt: instant.nullable() }),
  failed,
]);
/** The position of the comparison of a service, and its counts since its first start. */
const compared = z.strictObject({
  service: z.enum(['fhir', 'dicom']),
  host: z.string(),
  upTo: instant,
  behindSeconds: count,
  compared: count,
  missing: count,
  broughtIn: count,
});

/** Counts stop at a limit: then `isMore` is true. */
export const storageCounts = z.strictObject({
  countedAt: instant,
  waiting: waitingCount,
  deadLetters: deadLetterCount,
  undelivered: undeliveredCount,
  /** Present only if INGRESS is queue. */
  eventQueue: eventQueueCount.optional(),
  compared: z.array(compared),
});
export type StorageCounts = z.infer<typeof storageCounts>;

export const statsAnswer = z.strictObject({ thisInstance, allInstances: storageCounts });
export const statsWithoutStorage = z.strictObject({ thisInstance, allInstances: failed });
