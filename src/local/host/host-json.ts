import * as z from 'zod';
import type { CoreLogLevel } from './functions-core.js';
import { StartError } from './start-error.js';

/** The settings of host.json that this host supports. */
export type HostSettings = ReturnType<typeof parseHostJson>;
/** The settings of all queue triggers: `extensions.queues` in host.json. */
export type QueueSettings = HostSettings['queues'];

const timeSpan = z
  .string()
  .regex(/^(\d+\.)?\d\d:\d\d:\d\d$/, 'must be hh:mm:ss')
  .transform((text) => {
    const [clock = '', days = '0'] = text.split('.').reverse();
    const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
    return (((Number(days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  });

const logLevel = z.enum(['Trace', 'Debug', 'Information', 'Warning', 'Error', 'Critical', 'None']);

const HostJson = z.object({
  version: z.literal('2.0'),
  functionTimeout: timeSpan.default(30 * 60_000),
  logging: z.object({ logLevel: z.object({ default: logLevel.optional() }).optional() }).default({}),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: z
        .object({
          /** The number of messages in a batch. */
          batchSize: z.int().min(1).max(32).default(16),
          /** The next batch is taken when at most this many messages still run. */
          newBatchThreshold: z.int().min(0).default(8),
          /** A message that was received this often goes to the poison queue. */
          maxDequeueCount: z.int().min(1).default(5),
          /** The time that a failed message stays hidden. */
          visibilityTimeout: timeSpan.default(0),
          maxPollingInterval: timeSpan.default(60_000),
          messageEncoding: z.enum(['base64', 'none']).default('base64'),
        })
        .prefault({}),
    })
    .prefault({}),
});

/** Returns the settings in host.json. @throws StartError that lists every problem. */
export function parseHostJson(content: unknown) {
  const parsed = HostJson.safeParse(content);
  if (!parsed.success) throw new StartError(`host.json is wrong:\n${z.prettifyError(parsed.error)}`);
  const { functionTimeout, logging, extensions } = parsed.data;
  const { visibilityTimeout, maxPollingInterval, ...queues } = extensions.queues;
  return {
    functionTimeoutMs: functionTimeout,
    routePrefix: extensions.http.routePrefix,
    logLevel: (logging.logLevel?.default ?? 'Information').toLowerCase() as CoreLogLevel,
    queues: { ...queues, visibilityTimeoutMs: visibilityTimeout, maxPollingIntervalMs: maxPollingInterval },
  };
}
