// The region of a workspace. Its system topic must be in the same region, and a template can take a region only from a
// parameter.

@description('Name of the workspace.')
param workspaceName string

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' existing = {
  name: workspaceName
}

@description('Region of the workspace.')
output location string = workspace.location
