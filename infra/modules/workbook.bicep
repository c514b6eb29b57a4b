// The workbook for operators, in Application Insights under Workbooks. Its content is ../workbook.json, as the workbook's
// advanced editor shows it, with placeholders for the ids of resources.

@description('Region of the workbook.')
param location string

@description('Tags of the workbook.')
param tags object = {}

@description('Name of the workbook in the portal.')
param name string

@description('Resource id of Application Insights, whose gallery shows the workbook.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace that the workbook queries.')
param logAnalyticsId string

@description('Resource id of the system topic whose deliveries the workbook shows; empty if there is none yet.')
param systemTopicId string

@description('Resource ids of the storage accounts that the workbook shows.')
param storageAccountIds string[]

var content = loadTextContent('../workbook.json')
// Other apps may send to the same workspace.
var own = ' | where _ResourceId =~ \'${applicationInsightsId}\''
var withMetrics = replace(content, 'AppMetrics', 'AppMetrics${own}')
var withTraces = replace(withMetrics, 'AppTraces', 'AppTraces${own}')
var withInsights = replace(withTraces, '<applicationInsightsId>', applicationInsightsId)
var withLogs = replace(withInsights, '<logAnalyticsId>', logAnalyticsId)
// One element stands for a list of ids: the list's JSON without its brackets takes its place.
var topics = empty(systemTopicId) ? '' : '"${systemTopicId}"'
var accounts = replace(replace(string(storageAccountIds), '[', ''), ']', '')
var withTopic = replace(withLogs, '"<systemTopicId>"', topics)
var withStorage = replace(withTopic, '"<storageAccountIds>"', accounts)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: name
    category: 'workbook'
    sourceId: toLower(applicationInsightsId)
    version: 'Notebook/1.0'
    serializedData: withStorage
  }
}

@description('Resource id of the workbook.')
output workbookId string = workbook.id
