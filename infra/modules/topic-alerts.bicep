// Alerts on Event Grid's delivery of the workspace's events. They use metrics of the system topic, so they also work
// while the app does not run. Each alert has a section in docs/operations.md.

@description('Tags of all resources here.')
param tags object = {}

@description('Prefix of the names of the alerts; a hyphen follows.')
param namePrefix string

@description('Resource id of the system topic.')
param systemTopicId string

@description('Names of the event subscriptions of the app. Others can subscribe to the same topic.')
param subscriptionNames string[]

@description('Resource id of the action group that receives the alerts.')
param actionGroupId string

@description('Whether the rules run; false while an environment is being built or removed.')
param areRulesOn bool = true

@description('Maximum number of failed delivery attempts of a subscription in 15 minutes. Some fail whenever instances of the app start and end.')
@minValue(0)
param maxFailedDeliveries int = 20

// Metrics of Microsoft.EventGrid/systemTopics. These metrics have no value while nothing is wrong. A window is longer than
// the interval between two evaluations, so that the first value is not missed.
var rules = [
  {
    name: 'events-dropped'
    description: 'Event Grid has dropped events: they are lost, unless they are made again in the services.'
    severity: 0
    metric: 'DroppedEventCount'
    threshold: 0
    frequency: 'PT1M'
  }
  {
    name: 'events-dead-lettered'
    description: 'Event Grid has given up on events and put them into the container undelivered: the app refused them, or has been down for a day.'
    severity: 1
    metric: 'DeadLetteredCount'
    threshold: 0
    frequency: 'PT5M'
  }
  {
    name: 'deliveries-failing'
    description: 'Event Grid cannot deliver: the app is down, too slow, or its storage is.'
    severity: 1
    metric: 'DeliveryAttemptFailCount'
    threshold: maxFailedDeliveries
    frequency: 'PT5M'
  }
]

// Event Grid writes names of subscriptions in capitals in its logs and dead letters.
var capitalNames = [for name in subscriptionNames: toUpper(name)]
var names = concat(subscriptionNames, capitalNames)

resource topicAlerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: '${rule.description} What to do: docs/operations.md, ${rule.name}.'
      severity: rule.severity
      enabled: areRulesOn
      scopes: [
        systemTopicId
      ]
      evaluationFrequency: rule.frequency
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'count'
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: rule.metric
            dimensions: [
              {
                name: 'EventSubscriptionName'
                operator: 'Include'
                values: names
              }
            ]
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: rule.threshold
          }
        ]
      }
      autoMitigate: true
      actions: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
]
