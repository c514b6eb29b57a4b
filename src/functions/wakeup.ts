import { z } from 'zod';
import type { Wakeup } from '../pipeline/wakeups.js';
import type { App } from './compose.js';

const LONGEST_ROW_NAME = 512;

const message = z.object({ shard: z.string(), after: z.string().max(LONGEST_ROW_NAME).optional() });

/**
 * Runs what a message of a queue is about, one of `shards`. The host hands over JSON parsed, other text as it is. What
 * nobody understands is logged and dropped: messages only wake, and the rows they were about are still there.
 */
export async function answerWakeup(
  input: unknown,
  shards: readonly string[],
  { pipeline, telemetry }: Pick<App, 'pipeline' | 'telemetry'>,
  traceParent?: string,
): Promise<void> {
  const wakeup = decodeWakeup(input, shards);
  if (wakeup) await pipeline.redeliver(wakeup, traceParent);
  else telemetry.log('warn', 'message-dropped', { errorCode: 'bad-message' });
}

/** Undefined where `input` names none of `shards`. */
export function decodeWakeup(input: unknown, shards: readonly string[]): Wakeup | undefined {
  const { success, data } = message.safeParse(typeof input === 'string' ? parseJson(input) : input);
  if (!success || !shards.includes(data.shard)) return undefined;
  const { shard, after } = data;
  return after === undefined ? { shard } : { shard, after };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
