import * as z from 'zod';
import { expected, flag, formBy, object, properties, text, whole } from './values.js';

const MAX_EVENTS = 5000;
const MAX_KILOBYTES = 1024;
const KILOBYTES = 64;
const MAX_HEADERS = 10;
const MAX_HEADER_LENGTH = 4096;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A custom value for one of these headers would make every request fail. */
const RESERVED: readonly string[] = ['connection', 'content-length', 'content-type', 'host', 'transfer-encoding'];
const ONE_BY_ONE = { maxEventsPerBatch: 1, preferredBatchSizeInKilobytes: KILOBYTES, deliveryAttributeMappings: [] };
const TIME_TO_LIVE = expected('-1, or more than 0');
const FUNCTION = /\/functions\/([^/]+)$/i;

const headerName = text().refine(
  (name) => HEADER_NAME.test(name) && !name.toLowerCase().startsWith('aeg-') && !RESERVED.includes(name.toLowerCase()),
  expected(`the name of a header, none of ${RESERVED.join(', ')}, and not beginning with aeg-`),
);
const headerValue = text(MAX_HEADER_LENGTH).refine(
  isHeaderValue,
  expected('printable Latin letters, digits and signs'),
);

/** A header of each request: a fixed text, or the value of the event's field, such as `data.resourceType`. */
const header = formBy(
  'type',
  ['Static', 'Dynamic'],
  [
    object({
      name: headerName,
      type: z.literal('Static'),
      properties: properties({ isSecret: flag, value: headerValue }),
    }).transform(flatten),
    object({
      name: headerName,
      type: z.literal('Dynamic'),
      properties: properties({ sourceField: text() }),
    }).transform(flatten),
  ],
);

const batching = {
  maxEventsPerBatch: whole(1, MAX_EVENTS).default(1),
  preferredBatchSizeInKilobytes: whole(1, MAX_KILOBYTES).default(KILOBYTES),
  deliveryAttributeMappings: z
    .array(header, expected('a list'))
    .max(MAX_HEADERS, expected(`at most ${MAX_HEADERS}`))
    .default([]),
};

const queue = {
  resourceId: text(),
  queueName: text(),
  /** -1 means for ever; null means the 7 days of Azure's default. */
  queueMessageTimeToLiveInSeconds: z
    .int(TIME_TO_LIVE)
    .refine((seconds) => seconds === -1 || seconds > 0, TIME_TO_LIVE)
    .nullable()
    .default(null),
};

/** The schema of a destination, with Azure's defaults. A queue gets events one by one. */
export const destinationSchema = formBy(
  'endpointType',
  ['WebHook', 'AzureFunction', 'StorageQueue'],
  [
    object({
      endpointType: z.literal('WebHook'),
      properties: properties({ endpointUrl: text().refine(isHttp, expected('an http or https URL')), ...batching }),
    }).transform(flatten),
    object({
      endpointType: z.literal('AzureFunction'),
      properties: properties({
        resourceId: text().regex(FUNCTION, expected('…/sites/APP/functions/NAME')),
        ...batching,
      }),
    }).transform((found) => ({
      ...flatten(found),
      functionName: FUNCTION.exec(found.properties.resourceId)?.[1] ?? '',
    })),
    object({ endpointType: z.literal('StorageQueue'), properties: properties(queue) }).transform((found) => ({
      ...flatten(found),
      ...ONE_BY_ONE,
    })),
  ],
).prefault({});

/** The destination of a subscription. `functionName` is the end of `resourceId`. */
export type Destination = z.output<typeof destinationSchema>;
/** The properties by which a destination gets events in batches. */
export type Batching = Pick<Destination, keyof typeof batching>;

function flatten<O, P>({ properties, ...others }: O & { properties: P }) {
  return { ...others, ...properties };
}

function isHttp(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '');
}

/** Returns whether a header can hold `value`: Latin-1, without the ASCII control characters except tab. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
