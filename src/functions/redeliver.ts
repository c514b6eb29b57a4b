import { z } from 'zod';
import { parseJson } from '../json-text.js';
import type { Wakeup } from '../pipeline/wakeups.js';
import { LONG_SHARD_NAMES, SHARD_NAMES } from '../storage/waiting.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

const EVERY_10_SECONDS = '*/10 * * * * *';
const MAX_ROW_NAME_LENGTH = 512;

type Deps = Pick<App, 'config' | 'pipeline' | 'telemetry'>;

const message = z.object({ shard: z.string(), after: z.string().max(MAX_ROW_NAME_LENGTH).optional() });

/** Registers the timer that looks for due rows. */
export function registerWakeDue(functions: FunctionApp, { pipeline }: Pick<App, 'pipeline'>): void {
  functions.timer('wakeDue', { schedule: EVERY_10_SECONDS, handler: () => pipeline.look() });
}

/**
 * Registers the queues that name shards with due rows. Long workflows have a queue of their own, and delay no other.
 */
export function registerRedeliver(functions: FunctionApp, deps: Deps): void {
  const onQueue = (name: string, queueName: string, shards: readonly string[]) =>
    functions.storageQueue(name, {
      queueName,
      connection: deps.config.storageConnection,
      handler: (message, { traceContext }) => answerWakeup(message, shards, deps, traceContext?.traceParent),
    });
  onQueue('redeliver', 'due', SHARD_NAMES);
  onQueue('redeliverLong', 'due-long', LONG_SHARD_NAMES);
}

/**
 * Runs the due rows of the shard that a queue message names, one of `shards`. The host parses JSON and hands over other
 * text as it is. A message in another form is logged and dropped: messages only wake, and the rows are still there.
 */
async function answerWakeup(
  input: unknown,
  shards: readonly string[],
  { pipeline, telemetry }: Deps,
  traceParent?: string,
): Promise<void> {
  const wakeup = decodeWakeup(input, shards);
  if (wakeup) await pipeline.redeliver(wakeup, traceParent);
  else telemetry.log('warn', 'message-dropped', { errorCode: 'bad-message' });
}

/** Returns undefined where `input` names none of `shards`. */
export function decodeWakeup(input: unknown, shards: readonly string[]): Wakeup | undefined {
  const { success, data } = message.safeParse(typeof input === 'string' ? parseJson(input) : input);
  if (!success || !shards.includes(data.shard)) return undefined;
  const { shard, after } = data;
  return after === undefined ? { shard } : { shard, after };
}
