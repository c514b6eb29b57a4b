import * as z from 'zod';
import { parseJson } from '../json-text.js';
import type { Wakeup } from '../pipeline/wakeups.js';
import { DUE_SHARD_NAMES, LONG_SHARD_NAMES } from '../storage/waiting.js';
import type { App } from './compose.js';
import type { FunctionApp } from './serve.js';

const EVERY_10_SECONDS = '*/10 * * * * *';
const MAX_ROW_NAME_LENGTH = 512;

type Deps = Pick<App, 'config' | 'pipeline' | 'telemetry'>;

const wakeupMessage = z.object({ shard: z.string(), after: z.string().max(MAX_ROW_NAME_LENGTH).optional() });

/**
 * Registers the timer that looks for due rows, and the functions of the queues `due` and `due-long`, whose messages name
 * shards with due rows. Long jobs have a queue of their own, so that they delay no other job.
 */
export function registerRedeliver(functions: FunctionApp, deps: Deps): void {
  functions.timer('wakeDue', { schedule: EVERY_10_SECONDS, handler: () => deps.pipeline.look() });
  const onQueue = (name: string, queueName: string, shards: readonly string[]) =>
    functions.storageQueue(name, {
      queueName,
      connection: deps.config.storageConnection,
      handler: (message, { traceContext }) => answerWakeup({ message, shards }, deps, traceContext?.traceParent),
    });
  onQueue('redeliver', 'due', DUE_SHARD_NAMES);
  onQueue('redeliverLong', 'due-long', LONG_SHARD_NAMES);
}

/**
 * Runs the due rows of the shard that a message names. The host passes the value of a message with JSON, and the text of any
 * other. A message that names none of `shards` is logged and dropped: the timer finds the rows.
 */
async function answerWakeup(
  { message, shards }: { message: unknown; shards: readonly string[] },
  { pipeline, telemetry }: Deps,
  traceParent?: string,
): Promise<void> {
  const wakeup = decodeWakeup(message, shards);
  if (wakeup) await pipeline.redeliver(wakeup, traceParent);
  else telemetry.log('warn', 'message-dropped', { errorCode: 'bad-message' });
}

/** Returns the wake-up in a message; undefined if it names none of `shards`. */
export function decodeWakeup(input: unknown, shards: readonly string[]): Wakeup | undefined {
  const { success, data } = wakeupMessage.safeParse(typeof input === 'string' ? parseJson(input) : input);
  if (!success || !shards.includes(data.shard)) return undefined;
  const { shard, after } = data;
  return after === undefined ? { shard } : { shard, after };
}
