// The two event subscriptions. Deploy them into the resource group of the system topic after the functions, because Event
// Grid checks that the functions exist, or after the queue and the topic's role on it. For another service or region, use other values of these parameters.

@description('Name of the system topic of the workspace. It has a system-assigned identity.')
param systemTopicName string

@description('Resource id of the function app.')
param functionAppId string

@description('How events come: Event Grid sends them to the functions (webhook), or puts them into the queue events.')
@allowed(['webhook', 'queue'])
param ingress string = 'webhook'

@description('Resource id of the storage account with the container undelivered and the queue events.')
param undeliveredStorageId string

@description('Prefix of the names of the subscriptions; several apps can subscribe to one topic.')
@minLength(1)
@maxLength(50)
param namePrefix string = last(split(functionAppId, '/'))

@description('Schema of the events; the app accepts both.')
@allowed(['CloudEventSchemaV1_0', 'EventGridSchema'])
param eventSchema string = 'CloudEventSchemaV1_0'

@description('Services, as <workspace>-<service>.fhir.azurehealthcareapis.com, with commas between. Empty for all of the workspace, none for no subscription.')
param fhirHosts string = ''

@description('Services, as <workspace>-<service>.dicom.azurehealthcareapis.com, with commas between. Empty for all of the workspace, none for no subscription.')
param dicomHosts string = ''

@description('Maximum number of events in a POST. With 100 events, an event costs a sixth of a storage request; alone it costs six. If one event of a POST cannot be stored, Event Grid sends the whole POST again.')
@minValue(1)
@maxValue(5000)
param maxEventsPerBatch int = 100

@description('Preferred size of a POST: 100 events of about 900 bytes, and some room.')
@minValue(1)
@maxValue(1024)
param preferredBatchSizeInKilobytes int = 128

var subscriptions = [
  {
    name: 'fhir'
    function: 'fhirEvents'
    eventTypes: [
      'Microsoft.HealthcareApis.FhirResourceCreated'
      'Microsoft.HealthcareApis.FhirResourceUpdated'
      'Microsoft.HealthcareApis.FhirResourceDeleted'
    ]
    hostKey: 'data.resourceFhirAccount'
    hosts: listOf(fhirHosts)
  }
  {
    name: 'dicom'
    function: 'dicomEvents'
    eventTypes: [
      'Microsoft.HealthcareApis.DicomImageCreated'
      'Microsoft.HealthcareApis.DicomImageUpdated'
      'Microsoft.HealthcareApis.DicomImageDeleted'
    ]
    hostKey: 'data.serviceHostName'
    hosts: listOf(dicomHosts)
  }
]

func listOf(text string) string[] => filter(map(split(text, ','), part => trim(part)), part => !empty(part))

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

// One after the other, because Event Grid validates each against the same app.
@batchSize(1)
resource eventSubscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for entry in filter(subscriptions, one => !contains(one.hosts, 'none')): {
    parent: topic
    name: '${namePrefix}-${entry.name}'
    properties: {
      // Event Grid has no identity for functions. It takes the function's key from the app and does not show it.
      destination: ingress == 'queue'
        ? null
        : {
            endpointType: 'AzureFunction'
            properties: {
              resourceId: '${functionAppId}/functions/${entry.function}'
              maxEventsPerBatch: maxEventsPerBatch
              preferredBatchSizeInKilobytes: preferredBatchSizeInKilobytes
            }
          }
      // I2: no message expires. An event is a message.
      deliveryWithResourceIdentity: ingress == 'queue'
        ? {
            identity: {
              type: 'SystemAssigned'
            }
            destination: {
              endpointType: 'StorageQueue'
              properties: {
                resourceId: undeliveredStorageId
                queueName: 'events'
                queueMessageTimeToLiveInSeconds: -1
              }
            }
          }
        : null
      eventDeliverySchema: eventSchema
      filter: {
        includedEventTypes: entry.eventTypes
        // Event Grid compares without regard to case.
        advancedFilters: empty(entry.hosts)
          ? []
          : [
              {
                operatorType: 'StringIn'
                key: entry.hostKey
                values: entry.hosts
              }
            ]
      }
      // The longest time that Event Grid allows: no event is lost while the app is down for less than a day.
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
      deadLetterWithResourceIdentity: {
        identity: {
          type: 'SystemAssigned'
        }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: {
            resourceId: undeliveredStorageId
            blobContainerName: 'undelivered'
          }
        }
      }
    }
  }
]
