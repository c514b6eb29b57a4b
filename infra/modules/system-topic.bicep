// The topic of a workspace's events. A workspace can have only one topic. Deployed into the resource group and region of
// the workspace.

@description('Name of the topic.')
param name string

@description('Region of the workspace.')
param location string

@description('Resource id of the workspace.')
param workspaceId string

@description('Tags of the resource.')
param tags object

@description('Log Analytics workspace for the log of failed deliveries; empty for none.')
param diagnosticsLogAnalyticsId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  // The topic writes undelivered events with this identity. No other kind of identity passes the firewall of a storage
  // account.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspaceId
    topicType: 'Microsoft.HealthcareApis.Workspaces'
  }
}

resource failedDeliveries 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(diagnosticsLogAnalyticsId)) {
  scope: topic
  // A topic can have the settings of several owners.
  name: 'failed-deliveries'
  properties: {
    workspaceId: diagnosticsLogAnalyticsId
    logs: [
      {
        category: 'DeliveryFailures'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the topic.')
output id string = topic.id

@description('Object id of the topic\'s identity.')
output principalId string = topic.identity.principalId
