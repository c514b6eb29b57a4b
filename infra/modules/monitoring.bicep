// The stores of telemetry: a Log Analytics workspace, and Application Insights that uses it. They accept nothing without a
// token of Entra ID; the connection string only says where to send.

@description('Region of both resources.')
param location string

@description('Tags of both resources.')
param tags object = {}

@description('Name of the Log Analytics workspace: 4 to 63 letters, digits and hyphens.')
param logAnalyticsName string

@description('Resource id of an existing Log Analytics workspace, which is used instead; empty for a new workspace.')
param existingLogAnalyticsId string = ''

@description('Name of the Application Insights component.')
param applicationInsightsName string

@description('Days that the workspace keeps data. The tables of Application Insights keep at least 90 days at no extra cost.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Maximum number of GB a day; -1 for no cap. When a cap is reached, the alerts get no data for the rest of the day, and the worst days have the most data. Set a cap only together with an alert on the cost.')
param dailyCapGB int = -1

@description('Whether telemetry and queries come only through an Azure Monitor Private Link Scope, which the owner of the network manages.')
param isPrivate bool = false

@description('Principal id of the identity that sends telemetry.')
param ingesterPrincipalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/monitor
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

var publicNetworkAccess = isPrivate ? 'Disabled' : 'Enabled'
var usedLogAnalyticsId = empty(existingLogAnalyticsId) ? logAnalytics.id : existingLogAnalyticsId

resource logAnalytics 'Microsoft.OperationalInsights/workspaces@2026-03-01' = if (empty(existingLogAnalyticsId)) {
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
    // Public by default, even with a private network. Private access needs an Azure Monitor Private Link Scope, which
    // changes the DNS of the whole network, so the network's owner must decide. Telemetry holds no patient data.
    publicNetworkAccessForIngestion: publicNetworkAccess
    publicNetworkAccessForQuery: publicNetworkAccess
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: usedLogAnalyticsId
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
    publicNetworkAccessForIngestion: publicNetworkAccess
    publicNetworkAccessForQuery: publicNetworkAccess
  }
}

// Despite its name, this role is for all telemetry, not only metrics.
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

@description('Where the app sends telemetry. Not a secret, because a token is needed as well.')
output connectionString string = applicationInsights.properties.ConnectionString

@description('Resource id of the Log Analytics workspace.')
output logAnalyticsId string = usedLogAnalyticsId
