import type { Clock } from '../../clock.js';
import { type Batch, writeRequest } from './batch.js';
import type { Interference } from './interference.js';
import type { Post } from './post.js';
import { type SendResult, send } from './send.js';
import type { Subscription } from './subscription.js';

const NOTHING = { kind: 'no-answer', outcome: 'SocketError' } as const;

export type AttemptDeps = {
  /** Real time, for the 30 s until an answer and for the times in requests. */
  clock: Clock;
  /** Sends one HTTP request to an endpoint; rejects when no answer came. */
  post: Post;
  /** URL of a local function's webhook for a destination of endpointType AzureFunction. */
  functionUrl: (functionName: string) => string;
  interference: Interference;
};

/** Sends a batch, with the failures that interference asks for. Never rejects. */
export async function attempt(
  batch: Batch,
  subscription: Subscription,
  { clock, post, functionUrl, interference }: AttemptDeps,
  signal: AbortSignal,
): Promise<SendResult> {
  const { destination } = subscription;
  if (interference.isDown(batch.entries.map((entry) => entry.published.event))) return NOTHING;
  const { headers, body } = writeRequest(batch, subscription);
  const request = {
    url: destination.endpointType === 'WebHook' ? destination.endpointUrl : functionUrl(destination.functionName),
    method: 'POST' as const,
    headers,
    body: batch.fate === 'garble' ? body.slice(0, body.length / 2) : body,
  };
  const result = await send({ post, clock, request, signal });
  return batch.fate === 'lose-answer' ? { kind: 'timed-out', late: Promise.resolve(NOTHING) } : result;
}
