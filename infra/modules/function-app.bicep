// The function app and its plan. main.bicep composes its settings.

@description('Name of the app, unique in Azure.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
param planName string

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('URL of the container of deployment packages.')
param deploymentContainerUrl string

@description('Node version.')
param nodeVersion string

@description('Memory of an instance.')
param instanceMemoryMB int

@description('Maximum number of instances of each function or group of functions.')
param maximumInstances int

@description('Number of instances that are always ready for events.')
param alwaysReadyInstances int

@description('Maximum number of requests that an instance handles at once before Azure starts another instance.')
param httpConcurrency int

@description('Whether the instances are spread over zones.')
param zoneRedundant bool

@description('How instances are replaced when code or settings change: Recreate ends them by force, RollingUpdate drains them.')
param updateStrategy string

@description('Subnet for the app\'s outgoing requests; empty for none.')
param subnetId string

@description('Whether the app takes events from a queue, and Event Grid sends it no request.')
param takesFromQueue bool

@description('Whether the app has a public address.')
param isPublic bool

@description('Whether only Event Grid and the operators\' ranges may send requests.')
param isRestricted bool

@description('Address ranges of the operators, in CIDR notation.')
param operatorRanges string[]

@description('Whether packages may be deployed from any address. An Entra token is always needed.')
param deployFromAnywhere bool

@description('Whether Azure Monitor\'s availability tests reach the app too.')
param admitsAvailabilityTests bool

@description('Log Analytics workspace for the host\'s own log; empty for none.')
param diagnosticsLogAnalyticsId string

@description('App settings by name. Those with an empty value are left out.')
@secure()
param settings object

var operatorRules = [
  for (range, index) in operatorRanges: {
    name: 'operators-${index}'
    description: 'People and tools that ask the app.'
    priority: 200 + index
    action: 'Allow'
    ipAddress: range
  }
]
var availabilityRule = {
  name: 'availability-tests'
  description: 'Requests of health/live.'
  priority: 110
  action: 'Allow'
  tag: 'ServiceTag'
  ipAddress: 'ApplicationInsightsAvailability'
}
var isDeploymentRestricted = !empty(operatorRanges) && !deployFromAnywhere
// With zones, a group has at least two instances.
var readyInstances = zoneRedundant && alwaysReadyInstances == 1 ? 2 : alwaysReadyInstances
// Azure documents this property, and the published types lack it. Recreate is the default.
var updateConfig = updateStrategy == 'Recreate' ? {} : any({ siteUpdateStrategy: { type: updateStrategy } })

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Event Grid sends requests from public addresses, and not to private endpoints.
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    functionAppConfig: union(updateConfig, {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        // Event Grid triggers are in the group `http`; queues and timers have instances of their own.
        alwaysReady: readyInstances == 0
          ? []
          : [
              {
                name: takesFromQueue ? 'function:queuedEvents' : 'http'
                instanceCount: readyInstances
              }
            ]
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    })
    // Flex Consumption refuses many names here, such as ftpsState (test/infra/settings.test.ts); the policy below turns FTP off.
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      // A refused request gets 403, after which Event Grid does not try again. So its service tag comes first.
      ipSecurityRestrictionsDefaultAction: isRestricted ? 'Deny' : 'Allow'
      ipSecurityRestrictions: isRestricted
        ? concat(
            takesFromQueue
              ? []
              : [
                  {
                    name: 'event-grid'
                    description: 'Deliveries.'
                    priority: 100
                    action: 'Allow'
                    tag: 'ServiceTag'
                    ipAddress: 'AzureEventGrid'
                  }
                ],
            admitsAvailabilityTests ? [availabilityRule] : [],
            operatorRules
          )
        : []
      scmIpSecurityRestrictionsUseMain: false
      scmIpSecurityRestrictionsDefaultAction: isDeploymentRestricted ? 'Deny' : 'Allow'
      scmIpSecurityRestrictions: isDeploymentRestricted ? operatorRules : []
      appSettings: map(
        filter(items(settings), setting => !empty(setting.value)),
        setting => {
          name: setting.key
          value: setting.value
        }
      )
    }
  }
}

resource noPasswordForScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noPasswordForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
  // Two changes of one app at the same time end in a conflict.
  dependsOn: [
    noPasswordForScm
  ]
}

// No log of requests: their URLs hold keys.
resource hostLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(diagnosticsLogAnalyticsId)) {
  scope: app
  name: 'host-log'
  properties: {
    workspaceId: diagnosticsLogAnalyticsId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the app.')
output id string = app.id

@description('Name of the app.')
output name string = app.name

@description('URL of the app.')
output url string = 'https://${app.properties.defaultHostName}'
