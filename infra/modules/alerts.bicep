// Tells people by email when something needs them.

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('What names of alerts begin with.')
param namePrefix string

@description('Resource id of the Application Insights component.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace.')
param logAnalyticsId string

@description('Storage accounts to watch for throttling.')
param storageAccountIds string[]

@description('Resource id of the function app.')
param functionAppId string

@description('Who is told.')
param emails string[]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${namePrefix}-operators'
  location: 'global'
  tags: union(tags, { watches: join(concat(storageAccountIds, [applicationInsightsId, logAnalyticsId, functionAppId]), ' '), region: location })
  properties: {
    enabled: true
    groupShortName: 'operators'
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

@description('Resource id of the action group.')
output actionGroupId string = actionGroup.id
