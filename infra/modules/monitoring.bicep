// Where telemetry goes: a Log Analytics workspace and Application Insights on top of it. Nothing is taken without a
// token of Entra ID: the connection string says where to send, and opens nothing.

@description('Region of both resources.')
param location string

@description('Tags of both resources.')
param tags object = {}

@description('Name of the Log Analytics workspace: 4 to 63 letters, digits and hyphens.')
param logAnalyticsName string

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('Days that the workspace keeps what it has. The tables of Application Insights keep 90 days in any case, and cost nothing more for that.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Most GB that are taken a day; -1: no cap. With a cap the alerts are blind from the moment that it is reached, which is when most is said: on the worst day. Set one only beside an alert on the cost.')
param dailyCapGB int = -1

@description('Principal id of the identity that the app sends telemetry as.')
param ingesterPrincipalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/monitor
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource logAnalytics 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: logAnalyticsName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyCapGB
    }
    features: {
      // The right to read a resource includes its logs; the workspace's keys are off.
      enableLogAccessUsingOnlyResourcePermissions: true
      disableLocalAuth: true
    }
    // Public, also beside a private network: a private way in is an Azure Monitor Private Link Scope, which changes the
    // DNS of everything in the network, so that belongs to whoever runs the network. No patient data comes here.
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logAnalytics.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

// The role's name is of metrics alone, but it is the one for all telemetry.
resource ingester 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, ingesterPrincipalId, monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: ingesterPrincipalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id of Application Insights.')
output applicationInsightsId string = applicationInsights.id

@description('Name of Application Insights.')
output applicationInsightsName string = applicationInsights.name

@description('Where the app sends to. No secret: without a token nothing is taken.')
output connectionString string = applicationInsights.properties.ConnectionString

@description('Resource id of the Log Analytics workspace.')
output logAnalyticsId string = logAnalytics.id
