// The page that operators look at first.

@description('Region.')
param location string

@description('Tags of the resource.')
param tags object

@description('Name that people see.')
param name string

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace.')
param logAnalyticsId string

@description('Resource id of the system topic; empty where there is none.')
param systemTopicId string

@description('Storage accounts to show.')
param storageAccountIds string[]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: name
    sourceId: applicationInsightsId
    serializedData: string({ version: 'Notebook/1.0', items: [], fallbackResourceIds: concat([logAnalyticsId, systemTopicId], storageAccountIds) })
  }
}
