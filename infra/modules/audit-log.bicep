// The log of requests to the tables with patient data. Its lines hold keys of rows, which may hold ids: so it is apart
// from telemetry, and a right on a storage account does not include its lines.

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Name of the Log Analytics workspace: 4 to 63 letters, digits and hyphens.')
param name string

@description('Days that a line is kept: 30 to 730. docs/costs.md says how to keep lines for longer, and for less money.')
param retentionDays int

@description('Whether queries come only through an Azure Monitor Private Link Scope. Azure writes the lines in any case.')
param isPrivate bool

resource store 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      enableLogAccessUsingOnlyResourcePermissions: false
      disableLocalAuth: true
    }
    publicNetworkAccessForIngestion: isPrivate ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: isPrivate ? 'Disabled' : 'Enabled'
  }
}

@description('Resource id of the Log Analytics workspace.')
output id string = store.id
