// The two event subscriptions, deployed into the resource group of the system topic once the functions are there: Event
// Grid looks whether they are. Another service or another region is other values of these parameters.

@description('Name of the system topic of the workspace. It has a system-assigned identity.')
param systemTopicName string

@description('Resource id of the function app.')
param functionAppId string

@description('Resource id of the storage account with the container undelivered.')
param undeliveredStorageId string

@description('Prefix of the names of the subscriptions; several apps can subscribe to one topic.')
@minLength(1)
@maxLength(50)
param namePrefix string = last(split(functionAppId, '/'))

@description('How events are written: the app understands both.')
@allowed(['CloudEventSchemaV1_0', 'EventGridSchema'])
param eventSchema string = 'CloudEventSchemaV1_0'

@description('Services, as <workspace>-<service>.fhir.azurehealthcareapis.com, with commas between. Empty for all of the workspace, none for no subscription.')
param fhirHosts string = ''

@description('Services, as <workspace>-<service>.dicom.azurehealthcareapis.com, with commas between. Empty for all of the workspace, none for no subscription.')
param dicomHosts string = ''

@description('The most events in a POST. At 100, an event costs the app a sixth of a storage request, singly six. A POST is answered for as a whole, so more in it means more to send again where one cannot be kept.')
@minValue(1)
@maxValue(5000)
param maxEventsPerBatch int = 100

@description('Size of a POST that Event Grid aims at: 100 events of some 900 bytes, and room.')
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

// One after the other: each makes Event Grid ask the same app.
@batchSize(1)
resource eventSubscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for entry in filter(subscriptions, one => !contains(one.hosts, 'none')): {
    parent: topic
    name: '${namePrefix}-${entry.name}'
    properties: {
      // Event Grid knows no identity for functions: it takes their key from the app, and keeps it to itself.
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: '${functionAppId}/functions/${entry.function}'
          maxEventsPerBatch: maxEventsPerBatch
          preferredBatchSizeInKilobytes: preferredBatchSizeInKilobytes
        }
      }
      eventDeliverySchema: eventSchema
      filter: {
        includedEventTypes: entry.eventTypes
        // Compared without case.
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
      // As long as Event Grid will: the app being down for a day loses nothing.
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
