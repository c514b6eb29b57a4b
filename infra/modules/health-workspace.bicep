// A workspace with FHIR and DICOM services, for trying the app. It is not meant for a hospital's data.

@description('Name of the workspace, letters and digits, unique in Azure.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Names of the FHIR services.')
param fhirServices string[]

@description('Names of the DICOM services.')
param dicomServices string[]

@description('Whether only private endpoints reach the services.')
param isPrivate bool

@description('Object id of the person or group that may write data to the services; empty for none.')
param userPrincipalId string

@description('Type of that principal.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param userPrincipalType string

// FHIR Data Contributor.
var fhirDataContributor = '5a1fc7df-4bf1-4951-a576-89034ee01acd'
// DICOM Data Owner.
var dicomDataOwner = '58a3b984-7adf-4c20-983a-32417c86fbc8'
var publicNetworkAccess = isPrivate ? 'Disabled' : 'Enabled'

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' = {
  name: name
  location: location
  tags: tags
  properties: {
    publicNetworkAccess: publicNetworkAccess
  }
}

// One service after the other: a workspace refuses a change while another change is under way.
@batchSize(1)
resource fhir 'Microsoft.HealthcareApis/workspaces/fhirservices@2024-03-31' = [
  for service in fhirServices: {
    parent: workspace
    name: service
    location: location
    tags: tags
    kind: 'fhir-R4'
    identity: {
      type: 'None'
    }
    properties: {
      authenticationConfiguration: {
        authority: uri(environment().authentication.loginEndpoint, subscription().tenantId)
        audience: 'https://${name}-${service}.fhir.azurehealthcareapis.com'
        smartProxyEnabled: false
      }
      publicNetworkAccess: publicNetworkAccess
    }
  }
]

@batchSize(1)
resource dicom 'Microsoft.HealthcareApis/workspaces/dicomservices@2024-03-31' = [
  for service in dicomServices: {
    parent: workspace
    name: service
    location: location
    tags: tags
    dependsOn: [
      fhir
    ]
    properties: {
      publicNetworkAccess: publicNetworkAccess
    }
  }
]

resource fhirUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (service, index) in fhirServices: if (!empty(userPrincipalId)) {
    scope: fhir[index]
    name: guid(workspace.id, service, userPrincipalId, fhirDataContributor)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', fhirDataContributor)
      principalId: userPrincipalId
      principalType: userPrincipalType
    }
  }
]

resource dicomUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (service, index) in dicomServices: if (!empty(userPrincipalId)) {
    scope: dicom[index]
    name: guid(workspace.id, service, userPrincipalId, dicomDataOwner)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dicomDataOwner)
      principalId: userPrincipalId
      principalType: userPrincipalType
    }
  }
]

@description('Resource id of the workspace.')
output id string = workspace.id
