// The roles of the host and the app in the app's own account. The account
// holds only their data. The host makes containers, and the app makes tables and queues, so the account is the narrowest
// possible scope.

@description('Name of the account.')
param accountName string

@description('Object id of the identity.')
param principalId string

// Storage Blob Data Owner: the host needs this role on AzureWebJobsStorage for its locks, keys and timers. The role also
// covers the deployment package and the container dead-letters.
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
// Storage Table Data Contributor: the ledger, `waiting`, the workflows' tables. The app makes a table of the ledger each
// day and drops those that are over, so it needs tables/delete; people do not (operator-role.bicep).
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
// Storage Queue Data Contributor: the app makes its wake-up queues, sends, receives and counts messages.
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName
}

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in [storageBlobDataOwner, storageTableDataContributor, storageQueueDataContributor]: {
    scope: account
    name: guid(account.id, principalId, roleId)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]
