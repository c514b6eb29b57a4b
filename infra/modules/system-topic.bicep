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

@description('Resource id of the topic.')
output id string = topic.id

@description('Object id of the topic\'s identity.')
output principalId string = topic.identity.principalId
