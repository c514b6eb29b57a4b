// A private network, and every option that adds or changes a resource.
using '../../../infra/main.bicep'

param environmentName = 'private'
param location = 'westeurope'
param resourceGroupName = 'rg-events'
param principalId = '00000000-0000-0000-0000-00000000000d'
param principalType = 'ServicePrincipal'
param resourceTags = 'costs=1234; owner=imaging'
param workspaceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/clinic/providers/Microsoft.HealthcareApis/workspaces/clinic'
param fhirServices = 'records, research'
param dicomServices = 'images'
param eventSchema = 'EventGridSchema'
param filterByService = true
param privateNetwork = true
param networkAddressPrefix = '10.20.0.0/24'
param natGatewayId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/natGateways/hub'
param operatorRanges = '203.0.113.0/28, 198.51.100.7/32'
param deployFromAnywhere = true
param signIn = 'on'
param signInClientId = '00000000-0000-0000-0000-00000000000e'
param requireSignIn = 'on'
param alwaysReadyInstances = 1
param maximumInstances = 100
param instanceMemoryMB = 4096
param httpConcurrency = 8
param nodeVersion = '22'
param zoneRedundant = true
param storageRedundancy = 'Standard_GZRS'
param separateWorkflowStorage = true
param resolvedRetentionDays = 60
param lockData = true
param logRetentionDays = 365
param alertEmails = 'oncall@example.com, second@example.com'
param alertPhones = '49-1701234567'
param incidentWebhookUrl = 'https://incidents.example.com/hook'
param availabilityTest = true
param diagnostics = true
param alertsOn = false
param eventsExpected = false
param reconcile = 'off'
param lookups = 'on'
param alertWebhookUrl = 'https://alerts.example.com/hook'
param studyQuietMinutes = '20'
param ledgerRetentionDays = '35'
param tracesShare = '0.5'
param moreSettings = 'ORDERS_URL=https://orders.example.com; DEADLINE_SECONDS=10'
param workspacePrivateEndpoint = 'confirmed'
param updateStrategy = 'RollingUpdate'
param storageKeyType = 'Account'
param storageKeyUrl = 'https://keys.vault.azure.net/keys/events'
param storageKeyIdentityId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/keys/providers/Microsoft.ManagedIdentity/userAssignedIdentities/events-key'
param infrastructureEncryption = true
param auditRetentionDays = 730
