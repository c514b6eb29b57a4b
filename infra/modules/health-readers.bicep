// Lets the app read the named services of a workspace, and no others. Deployed into the resource group of the workspace.

@description('Name of the workspace.')
param workspaceName string

@description('Names of the FHIR services.')
param fhirServices string[]

@description('Names of the DICOM services.')
param dicomServices string[]

@description('Object id of the app\'s identity.')
param principalId string

// FHIR Data Reader.
var fhirDataReader = '4c8d0bbc-75d3-4935-991f-5f3c56d81508'
// DICOM Data Reader.
var dicomDataReader = 'e89c7a3c-2f64-4fa1-a847-3e4c9ba4283a'

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' existing = {
  name: workspaceName
}

resource fhir 'Microsoft.HealthcareApis/workspaces/fhirservices@2024-03-31' existing = [
  for service in fhirServices: {
    parent: workspace
    name: service
  }
]

resource dicom 'Microsoft.HealthcareApis/workspaces/dicomservices@2024-03-31' existing = [
  for service in dicomServices: {
    parent: workspace
    name: service
  }
]

resource fhirReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (service, index) in fhirServices: {
    scope: fhir[index]
    name: guid(workspace.id, service, principalId, fhirDataReader)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', fhirDataReader)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource dicomReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (service, index) in dicomServices: {
    scope: dicom[index]
    name: guid(workspace.id, service, principalId, dicomDataReader)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dicomDataReader)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]
