import type { Reader } from './reader.js';

const MAX_EVENTS = 5000;
const MAX_KILOBYTES = 1024;
const KILOBYTES = 64;
const MAX_HEADERS = 10;
const MAX_HEADER_LENGTH = 4096;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A custom value for one of these headers would make every request fail. */
const RESERVED: readonly string[] = ['connection', 'content-length', 'content-type', 'host', 'transfer-encoding'];
const ONE_BY_ONE = { maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: KILOBYTES, deliveryAttributeMappings: [] };
const FUNCTION = /\/functions\/([^/]+)$/i;

export type Batching = {
  readonly maxEventsPerBatch: number;
  readonly preferredBatchSizeInKilobytes: number;
  readonly deliveryAttributeMappings: readonly HeaderMapping[];
};

type Queue = {
  readonly resourceId: string;
  readonly queueName: string;
  /** -1 means for ever; null means the 7 days of Azure's default. */
  readonly queueMessageTimeToLiveInSeconds: number | null;
};

/** The destination of a subscription. `functionName` is the end of `resourceId`. A queue gets events one by one. */
export type Destination = Batching &
  (
    | { readonly endpointType: 'WebHook'; readonly endpointUrl: string }
    | { readonly endpointType: 'AzureFunction'; readonly resourceId: string; readonly functionName: string }
    | ({ readonly endpointType: 'StorageQueue' } & Queue)
  );

/** A header of each request: a text, or what stands in the event under a key such as `data.resourceType`. */
type HeaderMapping = { readonly name: string } & (
  | { readonly type: 'Static'; readonly value: string; readonly isSecret: boolean }
  | { readonly type: 'Dynamic'; readonly sourceField: string }
);

/** Reads a destination, with Azure's defaults. Wrong values become problems of `destination`. */
export function readDestination(destination: Reader): Destination {
  const endpointType = destination.oneOf('endpointType', ['WebHook', 'AzureFunction', 'StorageQueue']);
  const properties = destination.object('properties');
  if (endpointType === 'StorageQueue') return { endpointType, ...readQueue(properties), ...ONE_BY_ONE };
  const batching: Batching = {
    maxEventsPerBatch: properties.integer('maxEventsPerBatch', { from: 1, to: MAX_EVENTS, or: 1 }),
    preferredBatchSizeInKilobytes: properties.integer('preferredBatchSizeInKilobytes', {
      from: 1,
      to: MAX_KILOBYTES,
      or: KILOBYTES,
    }),
    deliveryAttributeMappings: properties.objects('deliveryAttributeMappings', MAX_HEADERS).map(readHeader),
  };
  return endpointType === 'AzureFunction'
    ? { endpointType, ...readFunction(properties), ...batching }
    : { endpointType: 'WebHook', endpointUrl: endpointType ? readUrl(properties) : '', ...batching };
}

function readUrl(properties: Reader): string {
  const url = properties.text('endpointUrl');
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (url !== '' && protocol !== 'http:' && protocol !== 'https:') {
    properties.wrong('endpointUrl', `expected an http or https URL, found ${JSON.stringify(url)}`);
  }
  return url;
}

function readFunction(properties: Reader): { resourceId: string; functionName: string } {
  const resourceId = properties.text('resourceId');
  const functionName = FUNCTION.exec(resourceId)?.[1] ?? '';
  if (resourceId !== '' && functionName === '') {
    properties.wrong('resourceId', `expected …/sites/APP/functions/NAME, found ${JSON.stringify(resourceId)}`);
  }
  return { resourceId, functionName };
}

function readQueue(properties: Reader): Queue {
  const ttl = 'queueMessageTimeToLiveInSeconds';
  const isSet = properties.has(ttl);
  const seconds = isSet ? properties.integer(ttl, { from: -1, to: Number.MAX_SAFE_INTEGER, or: -1 }) : null;
  if (seconds === 0) properties.wrong(ttl, 'expected -1, or more than 0, found 0');
  const queueName = properties.text('queueName');
  return { resourceId: properties.text('resourceId'), queueName, queueMessageTimeToLiveInSeconds: seconds };
}

function readHeader(mapping: Reader): HeaderMapping {
  const name = mapping.text('name');
  const folded = name.toLowerCase();
  if (name !== '' && (!HEADER_NAME.test(name) || folded.startsWith('aeg-') || RESERVED.includes(folded))) {
    const not = `none of ${RESERVED.join(', ')}, and not beginning with aeg-`;
    mapping.wrong('name', `expected the name of a header, ${not}, found ${JSON.stringify(name)}`);
  }
  const type = mapping.oneOf('type', ['Static', 'Dynamic']);
  const properties = mapping.object('properties');
  if (type !== 'Static') return { name, type: 'Dynamic', sourceField: type ? properties.text('sourceField') : '' };
  const value = properties.text('value', { maxLength: MAX_HEADER_LENGTH });
  if (!isHeaderValue(value)) properties.wrong('value', 'expected printable Latin letters, digits and signs');
  return { name, type, isSecret: properties.boolean('isSecret', false), value };
}

/** Returns whether a header can hold `value`: Latin-1, without the ASCII control characters except tab. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
