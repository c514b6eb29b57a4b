import { EVENT_TYPES } from '../events/kinds.js';

const FUNCTION_APP = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.Web/sites/ahds-events';

/** The subscriptions of a deployment: each of the two functions gets the events of its kind of service. */
export const DEFAULT_SUBSCRIPTIONS = {
  'fhir-events': subscribe('fhirEvents', 'FhirResource'),
  'dicom-events': subscribe('dicomEvents', 'DicomImage'),
};

function subscribe(functionName: string, types: string) {
  return {
    properties: {
      destination: {
        endpointType: 'AzureFunction',
        properties: {
          resourceId: `${FUNCTION_APP}/functions/${functionName}`,
          maxEventsPerBatch: 100,
          preferredBatchSizeInKilobytes: 256,
        },
      },
      filter: { includedEventTypes: EVENT_TYPES.filter((type) => type.includes(types)) },
      eventDeliverySchema: 'CloudEventSchemaV1_0',
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
      deadLetterDestination: {
        endpointType: 'StorageBlob',
        properties: { blobContainerName: 'undelivered' },
      },
    },
  };
}
