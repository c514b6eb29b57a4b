// A workspace that is made for trying the app, as in docs/deploy/first-deployment.md, without the log of requests to tables.
using '../../../infra/main.bicep'

param environmentName = 'try-events'
param location = 'westeurope'
param principalId = '00000000-0000-0000-0000-00000000000d'
param createWorkspace = true
param alwaysReadyInstances = 0
param auditRetentionDays = 0
