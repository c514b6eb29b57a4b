import type { Clock } from '../../clock.js';
import { type Batch, writeRequest } from './batch.js';
import type { Destination } from './destination.js';
import type { Interference } from './interference.js';
import { type Post, type SendResult, send } from './send.js';
import type { Subscription } from './subscription.js';

const NO_QUEUE = 404;
const NOTHING = { kind: 'no-answer', outcome: 'SocketError' } as const;

export type AttemptDeps = {
  /** Real time, for the 30 s until an answer and for the times in requests. */
  clock: Clock;
  /** Sends one HTTP request to an endpoint; rejects when no answer came. */
  post: Post;
  /** Puts a message into a storage queue, and returns the status; rejects without an answer. Absent: there are no queues. */
  sendToQueue?: (queueName: string, text: string) => Promise<number>;
  /** URL of a local function's webhook for a destination of endpointType AzureFunction. */
  functionUrl: (functionName: string) => string;
  interference: Interference;
};

/**
 * Sends a batch, with the failures that interference asks for. Never rejects. Storage takes nothing of a request that is
 * cut off.
 */
export async function attempt(
  batch: Batch,
  { subscription, signal }: { subscription: Subscription; signal: AbortSignal },
  deps: AttemptDeps,
): Promise<SendResult> {
  const { clock, functionUrl, interference } = deps;
  const { destination } = subscription;
  if (destination.endpointType === 'StorageQueue' && batch.fate === 'garble') return NOTHING;
  if (interference.isDown(batch.entries.map((entry) => entry.published.event))) return NOTHING;
  const { headers, body } = writeRequest(batch, subscription);
  const request = {
    url: urlOf(destination, functionUrl),
    method: 'POST' as const,
    headers,
    body: batch.fate === 'garble' ? body.slice(0, body.length / 2) : body,
  };
  const post = destination.endpointType === 'StorageQueue' ? postTo(destination.queueName, batch, deps) : deps.post;
  const result = await send({ post, clock, request, signal });
  return batch.fate === 'lose-answer' ? { kind: 'timed-out', late: Promise.resolve(NOTHING) } : result;
}

function urlOf(destination: Destination, functionUrl: AttemptDeps['functionUrl']): string {
  switch (destination.endpointType) {
    case 'WebHook':
      return destination.endpointUrl;
    case 'AzureFunction':
      return functionUrl(destination.functionName);
    case 'StorageQueue':
      return destination.queueName;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(destination satisfies never)}`);
  }
}

/** Sends one event as a message, without an array around it in either schema. */
function postTo(queueName: string, { json }: Batch, { sendToQueue }: AttemptDeps): Post {
  return async () => {
    const status = (await sendToQueue?.(queueName, json[0] ?? '')) ?? NO_QUEUE;
    return { status, headers: new Headers(), body: '' };
  };
}
