import { EVENT_TYPES } from '../events/kinds.js';

const FUNCTION_APP = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.Web/sites/ahds-events';
const ACCOUNT = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.Storage/storageAccounts/events';

/** The queue from which the app takes events, where its setting INGRESS is `queue`. */
export const EVENT_QUEUE = 'events';

/** Returns a deployment's subscriptions: each function gets the events of its service, or the queue gets all. */
export function defaultSubscriptions(isQueue: boolean) {
  const toQueue = {
    endpointType: 'StorageQueue',
    properties: { resourceId: ACCOUNT, queueName: EVENT_QUEUE, queueMessageTimeToLiveInSeconds: -1 },
  };
  return {
    'fhir-events': subscribe(isQueue ? toQueue : toFunction('fhirEvents'), 'FhirResource'),
    'dicom-events': subscribe(isQueue ? toQueue : toFunction('dicomEvents'), 'DicomImage'),
  };
}

function toFunction(name: string) {
  const resourceId = `${FUNCTION_APP}/functions/${name}`;
  const batching = { maxEventsPerBatch: 100, preferredBatchSizeInKilobytes: 256 };
  return { endpointType: 'AzureFunction', properties: { resourceId, ...batching } };
}

function subscribe(destination: object, typePart: string) {
  return {
    properties: {
      destination,
      filter: { includedEventTypes: EVENT_TYPES.filter((type) => type.includes(typePart)) },
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
      deadLetterDestination: {
        endpointType: 'StorageBlob',
        properties: { blobContainerName: 'undelivered' },
      },
    },
  };
}
