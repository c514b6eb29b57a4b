import { z } from 'zod';
import type { Wakeup } from '../pipeline/wakeups.js';
import type { App } from './compose.js';

const MAX_ROW_NAME_LENGTH = 512;

const message = z.object({ shard: z.string(), after: z.string().max(MAX_ROW_NAME_LENGTH).optional() });

/**
 * Runs the due rows of the shard that a queue message names, one of `shards`. The host parses JSON and hands over other
 * text as it is. A message in another form is logged and dropped: messages only wake, and the rows are still there.
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

/** Returns undefined where `input` names none of `shards`. */
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
