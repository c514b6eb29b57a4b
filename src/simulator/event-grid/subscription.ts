import * as z from 'zod';
import { textOfPath } from '../../json-place.js';
import type { Problem } from '../problems.js';
import { type Destination, destinationSchema } from './destination.js';
import { filterSchema } from './filter.js';
import { anyText, expected, object, properties, text, texts, whole, word } from './values.js';

const NAME = /^[A-Za-z0-9-]{3,64}$/;
const MAX_ATTEMPTS = 30;
const MAX_LIFE_MINUTES = 1440;
const A_TIME = expected('a date and time such as 2030-01-31T12:00:00Z');
const RESOURCE_TYPE = 'Microsoft.EventGrid/systemTopics/eventSubscriptions';
const SYSTEM_TOPIC =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/simulator/providers/Microsoft.EventGrid/systemTopics/simulator';

/** Returns the schema of the properties. */
function propertiesSchema({ eventTypes, now }: Limits) {
  return object({
    destination: destinationSchema,
    filter: filterSchema(eventTypes),
    eventDeliverySchema: word('EventGridSchema', 'CloudEventSchemaV1_0').default('EventGridSchema'),
    retryPolicy: properties({
      maxDeliveryAttempts: whole(1, MAX_ATTEMPTS).default(MAX_ATTEMPTS),
      eventTimeToLiveInMinutes: whole(1, MAX_LIFE_MINUTES).default(MAX_LIFE_MINUTES),
    }),
    /** If null, events that cannot be delivered are dropped. */
    deadLetterDestination: object({
      endpointType: word('StorageBlob'),
      properties: properties({ blobContainerName: text(), resourceId: anyText }),
    })
      .transform(({ properties: { resourceId, ...others } }) => ({ ...others, ...(resourceId && { resourceId }) }))
      .nullable()
      .default(null),
    expirationTimeUtc: z
      .string(A_TIME)
      .refine((text) => !Number.isNaN(Date.parse(text)), A_TIME)
      .transform((text) => new Date(text))
      .refine((at) => now === undefined || at > now, expected(`a time after ${now?.toISOString()}`))
      .nullable()
      .default(null),
    labels: texts.default([]),
  });
}

/** `eventTypes`: a filter may include no other types, as in the real service. The subscription must expire after `now`. */
type Limits = { readonly eventTypes?: readonly string[]; readonly now?: Date };

/** An event subscription, in the property names of the Azure resource, with every default filled in. */
export type Subscription = Readonly<z.output<ReturnType<typeof propertiesSchema>>> & {
  readonly name: string;
  /** The Azure resource id of the system topic. */
  readonly topic: string;
  readonly provisioningState: 'Succeeded' | 'AwaitingManualAction' | 'Failed';
};

/** Properties that can be in a wrapper with an identity, and the wrapper's name. The simulator ignores identities. */
const WRAPPERS = [
  ['destination', 'deliveryWithResourceIdentity'],
  ['deadLetterDestination', 'deadLetterWithResourceIdentity'],
] as const;

/** Reads the body of a PUT, `{ properties: {…} }` or the bare properties, and finds every problem. null counts as absent. */
export function readSubscription(
  name: string,
  body: unknown,
  limits: Limits = {},
): { kind: 'ok'; subscription: Subscription } | { kind: 'wrong'; problems: Problem[] } {
  const problems: Problem[] = [];
  if (!NAME.test(name)) {
    problems.push({ path: 'name', message: `expected 3 to 64 letters, digits or '-', found ${JSON.stringify(name)}` });
  }
  const root = withoutNulls(body);
  const isNested = Object(root).properties !== undefined;
  const given = isNested ? Object(root).properties : root;
  const wrapped = WRAPPERS.filter(([, wrapper]) => Object(given)[wrapper] !== undefined);
  const inner = wrapped.map(([property, wrapper]) => [property, Object(given[wrapper])[property]]);
  const parsed = propertiesSchema(limits).safeParse(
    wrapped.length > 0 ? { ...given, ...Object.fromEntries(inner) } : given,
  );
  for (const { path, message } of parsed.error?.issues ?? []) {
    const wrapper = wrapped.flatMap(([property, name]) => (property === path[0] ? [name] : []));
    problems.push({ path: textOfPath([...(isNested ? ['properties'] : []), ...wrapper, ...path]), message });
  }
  if (!parsed.success || problems.length > 0) return { kind: 'wrong', problems };
  return { kind: 'ok', subscription: { name, topic: SYSTEM_TOPIC, provisioningState: 'Succeeded', ...parsed.data } };
}

/** Returns the JSON without the properties that are null. */
function withoutNulls(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json ?? null), function (this: unknown, _name, value) {
    return value === null && !Array.isArray(this) ? undefined : value;
  });
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

/** Returns the Azure resource id of a subscription. */
export function resourceIdOf({ name, topic }: Subscription): string {
  return `${topic}/eventSubscriptions/${name}`;
}

function describeDestination({ endpointType, deliveryAttributeMappings, ...others }: Destination) {
  const { functionName: _, ...shown } = { functionName: '', ...others };
  return {
    endpointType,
    properties: {
      ...shown,
      ...('endpointUrl' in others && { endpointBaseUrl: others.endpointUrl.split('?')[0] }),
      deliveryAttributeMappings: deliveryAttributeMappings.map(({ name, type, ...value }) => ({
        name,
        type,
        properties: 'isSecret' in value && value.isSecret ? { ...value, value: 'Hidden' } : value,
      })),
    },
  };
}
