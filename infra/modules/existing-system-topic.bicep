// The topic that the workspace already has. The deployment reads it and does not change it.

@description('Name of the topic.')
param name string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: name
}

@description('Resource id of the topic.')
output id string = topic.id

@description('Object id of the topic\'s system-assigned identity, which the preprovision hook has made sure of.')
output principalId string = topic.identity.principalId
