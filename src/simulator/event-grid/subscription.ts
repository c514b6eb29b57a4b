import type { Problem } from '../problems.js';
import { type Destination, readDestination } from './destination.js';
import { type Filter, readFilter } from './filter.js';
import { Reader } from './reader.js';
import type { DeliverySchema } from './topic-event.js';

const NAME = /^[A-Za-z0-9-]{3,64}$/;
const SCHEMAS = ['EventGridSchema', 'CloudEventSchemaV1_0'] as const;
const MAX_ATTEMPTS = 30;
const MAX_LIFE_MINUTES = 1440;
const RESOURCE_TYPE = 'Microsoft.EventGrid/systemTopics/eventSubscriptions';
const SYSTEM_TOPIC =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/simulator/providers/Microsoft.EventGrid/systemTopics/simulator';

/** An event subscription, in the property names of the Azure resource, with every default filled in. */
export type Subscription = {
  readonly name: string;
  /** The Azure resource id of the system topic. */
  readonly topic: string;
  readonly provisioningState: 'Succeeded' | 'AwaitingManualAction' | 'Failed';
  readonly destination: Destination;
  readonly filter: Filter;
  readonly eventDeliverySchema: DeliverySchema;
  readonly retryPolicy: { readonly maxDeliveryAttempts: number; readonly eventTimeToLiveInMinutes: number };
  /** If null, events that cannot be delivered are dropped. */
  readonly deadLetterDestination: { readonly blobContainerName: string; readonly resourceId?: string } | null;
  readonly expirationTimeUtc: Date | null;
  readonly labels: readonly string[];
};

/**
 * Reads the body of a PUT, `{ properties: {…} }` or the bare properties, and finds every problem. With `eventTypes`, a
 * filter may include no other types, as in the real service; with `now`, the subscription must expire later.
 */
export function readSubscription(
  name: string,
  body: unknown,
  { eventTypes, now }: { eventTypes?: readonly string[]; now?: Date } = {},
): { kind: 'ok'; subscription: Subscription } | { kind: 'wrong'; problems: Problem[] } {
  const problems: Problem[] = [];
  if (!NAME.test(name)) {
    problems.push({ path: 'name', message: `expected 3 to 64 letters, digits or '-', found ${JSON.stringify(name)}` });
  }
  const root = new Reader(body, problems);
  const properties = root.has('properties') ? root.object('properties') : root;
  const subscription: Subscription = {
    name,
    topic: SYSTEM_TOPIC,
    provisioningState: 'Succeeded',
    destination: readDestination(unwrapped(properties, 'destination', 'deliveryWithResourceIdentity')),
    filter: readFilter(properties.object('filter'), eventTypes),
    eventDeliverySchema: readSchema(properties),
    retryPolicy: readRetryPolicy(properties.object('retryPolicy')),
    deadLetterDestination: readDeadLetters(
      unwrapped(properties, 'deadLetterDestination', 'deadLetterWithResourceIdentity'),
    ),
    expirationTimeUtc: readExpiration(properties, now),
    labels: properties.texts('labels') ?? [],
  };
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'ok', subscription };
}

/** Returns the Azure resource. Unlike the real one, it shows `endpointUrl` beside `endpointBaseUrl`. */
export function describeSubscription(subscription: Subscription) {
  const { name, destination, deadLetterDestination, expirationTimeUtc, ...properties } = subscription;
  return {
    id: resourceIdOf(subscription),
    name,
    type: RESOURCE_TYPE,
    properties: {
      ...properties,
      destination: describeDestination(destination),
      deadLetterDestination: deadLetterDestination && {
        endpointType: 'StorageBlob',
        properties: deadLetterDestination,
      },
      expirationTimeUtc: expirationTimeUtc?.toISOString() ?? null,
    },
  };
}

export function resourceIdOf({ name, topic }: Subscription): string {
  return `${topic}/eventSubscriptions/${name}`;
}

function describeDestination({ endpointType, deliveryAttributeMappings, ...of }: Destination) {
  const { functionName: _, ...shown } = { functionName: '', ...of };
  return {
    endpointType,
    properties: {
      ...shown,
      ...('endpointUrl' in of && { endpointBaseUrl: of.endpointUrl.split('?')[0] }),
      deliveryAttributeMappings: deliveryAttributeMappings.map(({ name, type, ...value }) => ({
        name,
        type,
        properties: 'isSecret' in value && value.isSecret ? { ...value, value: 'Hidden' } : value,
      })),
    },
  };
}

function readSchema(properties: Reader): DeliverySchema {
  const name = 'eventDeliverySchema';
  return (properties.has(name) ? properties.oneOf(name, SCHEMAS) : undefined) ?? 'EventGridSchema';
}

function readExpiration(properties: Reader, now: Date | undefined): Date | null {
  const at = properties.date('expirationTimeUtc');
  if (at && now && at <= now) {
    properties.wrong('expirationTimeUtc', `expected a time after ${now.toISOString()}, found ${at.toISOString()}`);
  }
  return at;
}

function readRetryPolicy(policy: Reader): Subscription['retryPolicy'] {
  return {
    maxDeliveryAttempts: policy.integer('maxDeliveryAttempts', { from: 1, to: MAX_ATTEMPTS, or: MAX_ATTEMPTS }),
    eventTimeToLiveInMinutes: policy.integer('eventTimeToLiveInMinutes', {
      from: 1,
      to: MAX_LIFE_MINUTES,
      or: MAX_LIFE_MINUTES,
    }),
  };
}

function readDeadLetters(destination: Reader): Subscription['deadLetterDestination'] {
  if (destination.isAbsent) return null;
  destination.oneOf('endpointType', ['StorageBlob']);
  const properties = destination.object('properties');
  const resourceId = properties.text('resourceId', { or: '' });
  return { blobContainerName: properties.text('blobContainerName'), ...(resourceId ? { resourceId } : {}) };
}

/** Returns the property, or its copy in `wrapper`, which has an identity too: the simulator ignores identities. */
function unwrapped(properties: Reader, name: string, wrapper: string): Reader {
  return properties.has(wrapper) ? properties.object(wrapper).object(name) : properties.object(name);
}
