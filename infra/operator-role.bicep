// The role of people who use npm run dead-letters and npm run reconcile with the storage of an app in Azure. Unlike Storage
// Table Data Contributor, the role cannot drop a table, which nobody can restore. An Owner deploys this file by hand
// (docs/recovery.md): to define a role takes rights that neither azd nor GitHub needs otherwise.

@description('Name of the storage account.')
param accountName string

@description('Object id of the group, or person.')
param principalId string

@description('Type of that principal.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param principalType string = 'Group'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: accountName
}

resource operator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(account.id, 'operator')
  properties: {
    roleName: 'Clinical events operator of ${accountName}'
    description: 'Reads and writes rows of tables, and makes tables. Drops none.'
    type: 'customRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/tableServices/tables/read'
          // The ledger has a table for each day.
          'Microsoft.Storage/storageAccounts/tableServices/tables/write'
        ]
        dataActions: [
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/write'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
        ]
      }
    ]
  }
}

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principalId, operator.id)
  properties: {
    roleDefinitionId: operator.id
    principalId: principalId
    principalType: principalType
  }
}
