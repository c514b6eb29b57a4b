// The topic that a workspace's events go to. A workspace can have one only; deployed into the resource group of the
// workspace, in its region.

@description('Name of the topic.')
param name string

@description('Name of the workspace.')
param workspaceName string

@description('Tags of the resource.')
param tags object

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' existing = {
  name: workspaceName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: workspace.location
  tags: tags
  // With this identity it writes what it could not deliver. No other kind passes the firewall of a storage account.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspace.id
    topicType: 'Microsoft.HealthcareApis.Workspaces'
  }
}

@description('Resource id of the topic.')
output id string = topic.id

@description('Object id of the topic\'s identity.')
output principalId string = topic.identity.principalId
