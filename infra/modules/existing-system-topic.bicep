// The topic that the workspace has already: it is read, and left as it is.

@description('Name of the topic.')
param name string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: name
}

@description('Resource id of the topic.')
output id string = topic.id

@description('Object id of the topic\'s system-assigned identity. The preprovision hook sees to it that there is one.')
output principalId string = topic.identity.principalId
