// The deployment of docs/deploy/existing-workspace.md, which has a topic already.
using '../../../infra/main.bicep'

param environmentName = 'clinic'
param location = 'westeurope'
param principalId = '00000000-0000-0000-0000-00000000000d'
param workspaceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/clinic/providers/Microsoft.HealthcareApis/workspaces/clinic'
param fhirServices = 'records'
param dicomServices = 'images'
param existingSystemTopicName = 'clinic-topic'
param existingSystemTopicResourceGroup = 'clinic-events'
param alertEmails = 'oncall@example.com'
param lockData = true
