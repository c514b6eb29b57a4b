// The network, DNS zones, monitoring and names of an organisation.
using '../../../infra/main.bicep'

param environmentName = 'landing'
param location = 'westeurope'
param workspaceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/clinic/providers/Microsoft.HealthcareApis/workspaces/clinic'
param resourceNames = 'functionApp=func-clinic-events; storage=stclinicevents; systemTopic=evgt-clinic; privateEndpoints=pe-events'
param privateNetwork = true
param appSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/spoke/subnets/events-app'
param endpointsSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/spoke/subnets/endpoints'
param dnsZones = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns'
param privateTelemetry = true
param logAnalyticsId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.OperationalInsights/workspaces/central'
param actionGroupId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Insights/actionGroups/on-call'
param ingress = 'queue'
param publicApp = false
// The sign-in was on before: the deployment turns it off in Azure.
param signInClientId = '00000000-0000-0000-0000-00000000000e'
