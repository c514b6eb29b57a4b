// A storage account that accepts only Entra tokens: no keys, and so no SAS except those of a user's own token.

@description('Name of the account, unique in Azure.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Redundancy: one data centre, three zones, or also a second region; with RA, that region can be read at any time.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS', 'Standard_RAGZRS'])
param redundancy string

@description('Scope of the keys of tables and queues. Final. Only with Account can a key of your own encrypt them.')
@allowed(['Account', 'Service'])
param keyType string

@description('Key of your own that encrypts the account: https://<vault>.vault.azure.net/keys/<name>, with a version to pin it. Empty for Microsoft\'s.')
param keyUrl string

@description('Resource id of the identity that may use that key. Empty without a key.')
param keyIdentityId string

@description('Whether the infrastructure encrypts a second time, with a key of Microsoft\'s. Final.')
param infrastructureEncryption bool

@description('Private containers to make.')
param containers string[]

@description('Queues to make. The host asks for a missing queue every second, and each request is a failed one.')
param queues string[] = []

@description('Containers of dead letters. Pending dead letters are never deleted.')
param lettersContainers string[]

@description('Days after which the app deletes a resolved dead letter.')
param resolvedRetentionDays int

@description('Networks that reach the account; a token is always needed. public: any network. trusted-services: private endpoints, and Event Grid with the topic\'s identity. closed: private endpoints.')
@allowed(['public', 'trusted-services', 'closed'])
param access string

@description('Whether the account is locked against deletion.')
param isLocked bool

@description('Log Analytics workspace for the log of reads and deletions of blobs.')
param logAnalyticsId string

@description('Log Analytics workspace for the log of all requests to tables; empty for none.')
param tableLogId string

// A dead letter that is deleted or overwritten by mistake can be restored for this time.
var softDeleteDays = 30
// The app deletes resolved dead letters itself, after a copy that was left in pending/. It has this many more nights for
// that. A blob that is still in resolved/ after them belongs to an app that no longer runs.
var moreDays = 30

// https: / / <vault> / keys / <name> / <version>
var keyParts = split(keyUrl, '/')

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  identity: empty(keyUrl)
    ? null
    : {
        type: 'UserAssigned'
        userAssignedIdentities: {
          '${keyIdentityId}': {}
        }
      }
  properties: {
    encryption: {
      keySource: empty(keyUrl) ? 'Microsoft.Storage' : 'Microsoft.Keyvault'
      services: {
        queue: {
          keyType: keyType
        }
        table: {
          keyType: keyType
        }
      }
      keyvaultproperties: empty(keyUrl)
        ? null
        : {
            keyvaulturi: 'https://${keyParts[2]}'
            keyname: keyParts[4]
            // Without a version, storage follows the newest within a day.
            keyversion: length(keyParts) > 5 ? keyParts[5] : null
          }
      identity: empty(keyUrl)
        ? null
        : {
            userAssignedIdentity: keyIdentityId
          }
      requireInfrastructureEncryption: infrastructureEncryption ? true : null
    }
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: access == 'closed' ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: access == 'public' ? 'Allow' : 'Deny'
    }
  }
}

// No versioning: the host rewrites its small blobs (timers, leases) all day long. Dead letters are never rewritten, only
// copied and deleted, and soft delete covers that.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [
  for containerName in containers: {
    parent: blobs
    name: containerName
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-04-01' = if (!empty(queues)) {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = [
  for queueName in queues: {
    parent: queueService
    name: queueName
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = if (!empty(lettersContainers)) {
  parent: account
  name: 'default'
  dependsOn: [
    container
  ]
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-resolved-dead-letters'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: map(lettersContainers, containerName => '${containerName}/resolved/')
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: resolvedRetentionDays + moreDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

// Names of blobs are digests and dates.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(containers)) {
  scope: blobs
  name: 'who-read-what'
  properties: {
    workspaceId: logAnalyticsId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = if (!empty(tableLogId)) {
  parent: account
  name: 'default'
}

// Keys of a workflow's table may hold ids, so these lines go to a store of their own.
resource tableAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(tableLogId)) {
  scope: tables
  name: 'who-did-what'
  properties: {
    workspaceId: tableLogId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: account
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds clinical events that nobody has acted on yet.'
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('URL of the blobs, with a slash at the end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
