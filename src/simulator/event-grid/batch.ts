import { type Batching, isHeaderValue } from './destination.js';
import type { Entry } from './entry.js';
import { readField } from './filter.js';
import { ORIGIN } from './handshake.js';
import type { Treatment } from './interference.js';
import type { Ready } from './ready.js';
import type { Subscription } from './subscription.js';
import { type DeliverySchema, type TopicEvent, writeEvent } from './topic-event.js';

const BRACKETS_BYTES = 2;
const COMMA_BYTES = 1;

/** Events of one request: they have the same number of attempts and the same treatment. */
export type Batch = {
  readonly attempts: number;
  readonly fate: Treatment['fate'];
  readonly schema: DeliverySchema;
  readonly entries: readonly Entry[];
  readonly json: readonly string[];
};

/**
 * Takes the events that are ready, up to the subscription's number and size. A larger event goes alone. Expired events
 * go to `expire`.
 */
export function takeBatch(
  ready: Ready,
  subscription: Subscription,
  { isExpired, expire }: { isExpired: (entry: Entry) => boolean; expire: (entry: Entry) => void },
): Batch | undefined {
  const { maxEventsPerBatch, preferredBatchSizeInKilobytes } = subscription.destination;
  const maxBytes = preferredBatchSizeInKilobytes * 1024;
  const entries: Entry[] = [];
  const json: string[] = [];

  for (let queue = ready.first(); queue && entries.length === 0; queue = ready.first()) {
    const { attempts, treatment } = queue;
    const { fate, schema = subscription.eventDeliverySchema } = treatment;
    let bytes = BRACKETS_BYTES;
    for (let entry = queue.peek(); entry && entries.length < maxEventsPerBatch; entry = queue.peek()) {
      if (isExpired(entry)) {
        expire(entry);
        queue.take();
        continue;
      }
      const text = JSON.stringify(writeEvent(entry.published.event, schema));
      bytes += Buffer.byteLength(text) + (entries.length > 0 ? COMMA_BYTES : 0);
      if (entries.length > 0 && bytes > maxBytes) break;
      queue.take();
      entries.push(entry);
      json.push(text);
    }
    if (entries.length > 0) return { attempts, fate, schema, entries, json };
  }
  return undefined;
}

/** Returns the headers and the body of a batch. */
export function writeRequest(
  { attempts, schema, entries, json }: Batch,
  { name, destination }: Subscription,
): { headers: Record<string, string>; body: string } {
  const first = entries[0]?.published.event;
  const headers = {
    ...customHeaders(destination, first),
    'aeg-event-type': 'Notification',
    'aeg-subscription-name': name.toUpperCase(),
    'aeg-delivery-count': String(attempts),
  };
  const list = `[${json.join(',')}]`;
  if (schema === 'EventGridSchema') {
    const own = { 'aeg-metadata-version': '1', 'aeg-data-version': first?.dataVersion ?? '' };
    return { headers: { ...headers, 'content-type': 'application/json; charset=utf-8', ...own }, body: list };
  }
  // A CloudEvent outside a batch is sent without an array around it.
  const isSingle = destination.maxEventsPerBatch === 1;
  const type = `application/cloudevents${isSingle ? '' : '-batch'}+json; charset=utf-8`;
  const own = { 'aeg-metadata-version': '1.0', origin: ORIGIN, 'webhook-request-origin': ORIGIN };
  return { headers: { ...headers, 'content-type': type, ...own }, body: isSingle ? (json[0] ?? '') : list };
}

/** Dynamic headers take their values from the first event of the batch. */
function customHeaders({ deliveryAttributeMappings }: Batching, event: TopicEvent | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const mapping of deliveryAttributeMappings) {
    const value = mapping.type === 'Static' ? mapping.value : event && readField(mapping.sourceField)(event);
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (isPlain && isHeaderValue(String(value))) headers[mapping.name] = String(value);
  }
  return headers;
}
