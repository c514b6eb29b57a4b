// Everything except the event subscriptions, which need deployed functions (subscriptions.bicep). Each parameter is a
// setting of the azd environment: main.parameters.json, docs/deploy/settings.md.
// Azure reads an output of a conditional module even if the module that needs the output is left out, and the deployment
// fails. So each use of such an output has a condition of its own.
targetScope = 'subscription'

@description('Name of the azd environment, from which the names of resources are made.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources except the system topic, which is in the region of the workspace.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Resource group for this app only, made if it does not exist. Empty for rg-<environment>.')
param resourceGroupName string = ''

@description('Object id, in this tenant, of the person or pipeline that deploys. A person may set secrets in the vault, and write data to services that are made for trying; a pipeline may not.')
param principalId string = ''

@description('Type of the principal that deploys.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param principalType string = 'User'

@description('Additional tags for every resource: name=value, with semicolons between.')
param resourceTags string = ''

@description('Names for resources instead of the default names: resource=name, with semicolons between. The resources are in `defaultNames` below.')
param resourceNames string = ''

@description('Resource id of the workspace whose events the app handles. Empty for none, or for a workspace that is made.')
param workspaceId string = ''

@description('Whether to make a workspace with services, for trying the app. If so, workspaceId is ignored.')
param createWorkspace bool = false

@description('FHIR services of the workspace that the app reads: their names, with commas between.')
param fhirServices string = ''

@description('DICOM services of the workspace that the app reads: their names, with commas between.')
param dicomServices string = ''

@description('Name of the system topic that the workspace already has. Empty for a new topic.')
param existingSystemTopicName string = ''

@description('Resource group of that topic. Empty for the resource group of the workspace.')
param existingSystemTopicResourceGroup string = ''

@description('Schema of the events; the app accepts both.')
@allowed(['CloudEventSchemaV1_0', 'EventGridSchema'])
param eventSchema string = 'CloudEventSchemaV1_0'

@description('How events come: Event Grid sends them to the app (webhook), or puts them into a queue from which the app takes them.')
@allowed(['webhook', 'queue'])
param ingress string = 'webhook'

@description('Whether the app subscribes only to events of fhirServices and dicomServices, not of all services of the workspace.')
param filterByService bool = false

@description('Whether the app reaches storage and secrets by private endpoints.')
param privateNetwork bool = false

@description('Whether the workspace gets a private endpoint in that network, which ends its public access: off, on (the preprovision hook refuses it for a workspace that is public), or confirmed. A workspace that is made in a private network always gets one.')
@allowed(['off', 'on', 'confirmed'])
param workspacePrivateEndpoint string = 'off'

@description('Addresses of the private network: a /24.')
param networkAddressPrefix string = '10.90.0.0/24'

@description('Resource id of an existing subnet for the app\'s requests, delegated to Microsoft.App/environments. Empty for a new network.')
param appSubnetId string = ''

@description('Resource id of an existing subnet for private endpoints. Empty for a new network.')
param endpointsSubnetId string = ''

@description('Resource id of the resource group with the private DNS zones. Empty for zones of the app; none if a policy writes the names.')
param dnsZones string = ''

@description('Whether Application Insights and its workspace refuse public addresses. An Azure Monitor Private Link Scope must include both.')
param privateTelemetry bool = false

@description('Resource id of a NAT gateway for the app\'s requests to public addresses. Empty for Azure\'s default.')
param natGatewayId string = ''

@description('Address ranges of operators and deployments, in CIDR notation, with commas between. If set, only these ranges and Event Grid reach the app.')
param operatorRanges string = ''

@description('Whether packages may be deployed from any address, for example from GitHub\'s runners, even if operatorRanges is set. An Entra token is always needed.')
param deployFromAnywhere bool = false

@description('Whether people sign in with Entra ID to call the app.')
@allowed(['on', 'off'])
param signIn string = 'off'

@description('Client id of the registration in Entra ID. The preprovision hook makes one if it is empty.')
param signInClientId string = ''

@description('Whether function keys no longer open the HTTP API.')
@allowed(['on', 'off'])
param requireSignIn string = 'off'

@description('Whether the app has a public address. Without one, only privateNetwork reaches the app, and ingress must be queue.')
param publicApp bool = true

@description('Number of instances that are always ready for events.')
@minValue(0)
@maxValue(100)
param alwaysReadyInstances int = 1

@description('Maximum number of instances of a function, or of the group of functions that handle events and requests.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Maximum number of requests that an instance handles at once.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Node version.')
@allowed(['22', '24'])
param nodeVersion string = '24'

@description('Whether instances are spread over zones. Not every region has zones.')
param zoneRedundant bool = false

@description('How instances are replaced when code or settings change: Recreate ends them by force, RollingUpdate (a preview) drains them.')
@allowed(['Recreate', 'RollingUpdate'])
param updateStrategy string = 'Recreate'

@description('Redundancy of storage: Standard_LRS in regions without zones; with G also in a second region.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS', 'Standard_RAGZRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Scope of the keys of tables and queues. Final: the preprovision hook keeps what accounts have. With Account a key of your own can encrypt them, and Azure bills requests to tables at a higher rate.')
@allowed(['Account', 'Service'])
param storageKeyType string = 'Account'

@description('Key of your own that encrypts storage: https://<vault>.vault.azure.net/keys/<name>. Empty for Microsoft\'s.')
param storageKeyUrl string = ''

@description('Resource id of the identity that may use that key.')
param storageKeyIdentityId string = ''

@description('Whether storage is encrypted twice. Final.')
param infrastructureEncryption bool = false

@description('Whether the workflows\' tables have a storage account of their own, with its own limit of 20,000 entities a second.')
param separateWorkflowStorage bool = false

@description('Days after which a resolved dead letter is deleted.')
@minValue(1)
@maxValue(3650)
param resolvedRetentionDays int = 30

@description('Whether storage accounts and vault are locked against deletion.')
param lockData bool = false

@description('Retention of telemetry, in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Days that the log of requests to tables is kept, in a store of its own: 30 to 730, or 0 for no such log.')
@minValue(0)
@maxValue(730)
param auditRetentionDays int = 365

@description('Resource id of an existing Log Analytics workspace. Empty for a new workspace.')
param logAnalyticsId string = ''

@description('Whether the logs of the app, of its topic and of its network go to Log Analytics too.')
param diagnostics bool = false

@description('Resource id of an existing action group that receives the alerts. Empty for a new group.')
param actionGroupId string = ''

@description('Email addresses that receive the alerts, with commas between.')
param alertEmails string = ''

@description('Phone numbers that receive the alerts as SMS, with commas between: country code, hyphen, number.')
param alertPhones string = ''

@description('URL of a system for incidents that receives the alerts. Empty for none.')
@secure()
param incidentWebhookUrl string = ''

@description('Whether Azure requests the app from five places of the world every five minutes, and an alert fires if two get no answer.')
param availabilityTest bool = false

@description('Whether alerts are on; false while an environment is being built or removed.')
param alertsOn bool = true

@description('Whether an alert fires after an hour without events, if there were events a day before.')
param eventsExpected bool = true

@description('Whether the app compares the services with its ledger each minute, and brings in what Event Grid has lost.')
@allowed(['on', 'off'])
param reconcile string = 'on'

@description('Whether the lookups of the workflows are on.')
@allowed(['on', 'off'])
param lookups string = 'off'

@description('URL of a webhook that receives the alerts on results. Its secret is alert-webhook-secret in the vault. Empty for none.')
@secure()
param alertWebhookUrl string = ''

@description('Minutes without an image after which a study settles. Empty for the app\'s default.')
param studyQuietMinutes string = ''

@description('Days that the ledger remembers a settled job. Empty for the app\'s default.')
param ledgerRetentionDays string = ''

@description('Share of traces that is sent, from 0 to 1.')
param tracesShare string = '0.05'

@description('Additional app settings, for example of your own workflows: name=value, with semicolons between. For a secret, use a Key Vault reference.')
@secure()
param moreSettings string = ''

// A pipeline gets none of the roles of people. So its own right to grant roles needs none of them.
var personId = principalType == 'ServicePrincipal' ? '' : principalId

// Names. This part is unique in Azure, and always the same for one environment.
var token = toLower(uniqueString(subscription().id, environmentName, location))
var groupName = empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
// The keys are those that the preprovision hook accepts in RESOURCE_NAMES.
var defaultNames = {
  identity: 'id-${token}'
  logAnalytics: 'log-${token}'
  auditLog: 'log-${token}-audit'
  applicationInsights: 'appi-${token}'
  storage: 'st${token}'
  undeliveredStorage: 'stu${token}'
  workflowStorage: 'stw${token}'
  keyVault: 'kv-${token}'
  plan: 'plan-${token}'
  functionApp: 'func-${token}'
  systemTopic: '${workspaceName}-events'
  network: 'vnet-${token}'
  privateEndpoints: 'pe-${token}'
}
var names = union(defaultNames, pairsOf(resourceNames))
var functionAppName = names.functionApp
var tags = union(pairsOf(resourceTags), { 'azd-env-name': environmentName })

// Nothing of Event Grid's comes to the app's address where events come by a queue.
var isAppPrivate = privateNetwork && ingress == 'queue' && !publicApp
var eventQueues = ingress == 'queue' ? ['events', 'events-poison'] : []

// Lists.
var operatorRangeList = listOf(operatorRanges)
var fhirServiceList = createWorkspace && empty(fhirServices) ? ['fhir'] : listOf(fhirServices)
var dicomServiceList = createWorkspace && empty(dicomServices) ? ['dicom'] : listOf(dicomServices)

// The workspace: a new workspace in this group, an existing workspace, or none.
var hasWorkspace = createWorkspace || !empty(workspaceId)
var workspaceParts = split(empty(workspaceId) ? '-/-/-/-/-/-/-/-/-' : workspaceId, '/')
var workspaceName = createWorkspace ? 'ahds${token}' : workspaceParts[8]
var workspaceGroupName = createWorkspace || empty(workspaceId) ? groupName : workspaceParts[4]
var usedWorkspaceId = hasWorkspace
  ? '${subscription().id}/resourceGroups/${workspaceGroupName}/providers/Microsoft.HealthcareApis/workspaces/${workspaceName}'
  : ''
var fhirHosts = join(map(fhirServiceList, service => '${workspaceName}-${service}.fhir.azurehealthcareapis.com'), ',')
var dicomHosts = join(map(dicomServiceList, service => '${workspaceName}-${service}.dicom.azurehealthcareapis.com'), ',')

// The topic: an existing topic, or a new one. A new workspace has no existing topic: a name that is left over from another
// workspace must not subscribe the app to that workspace.
var usesExistingTopic = !createWorkspace && hasWorkspace && !empty(existingSystemTopicName)
var makesTopic = hasWorkspace && !usesExistingTopic
var topicName = !hasWorkspace ? '' : usesExistingTopic ? existingSystemTopicName : names.systemTopic
var topicGroupName = usesExistingTopic && !empty(existingSystemTopicResourceGroup)
  ? existingSystemTopicResourceGroup
  : workspaceGroupName
var topicId = hasWorkspace
  ? '${subscription().id}/resourceGroups/${topicGroupName}/providers/Microsoft.EventGrid/systemTopics/${topicName}'
  : ''

func listOf(text string) string[] => filter(map(split(text, ','), part => trim(part)), part => !empty(part))

func pairsOf(text string) object =>
  toObject(
    filter(split(text, ';'), pair => contains(pair, '=')),
    pair => trim(substring(pair, 0, indexOf(pair, '='))),
    pair => trim(substring(pair, indexOf(pair, '=') + 1))
  )

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    name: names.identity
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    location: location
    tags: tags
    logAnalyticsName: names.logAnalytics
    existingLogAnalyticsId: logAnalyticsId
    applicationInsightsName: names.applicationInsights
    retentionDays: logRetentionDays
    isPrivate: privateTelemetry
    ingesterPrincipalId: identity.outputs.principalId
  }
}

// The requests to the accounts whose tables hold patient data.
module auditLog 'modules/audit-log.bicep' = if (auditRetentionDays > 0) {
  scope: group
  name: 'audit-log'
  params: {
    name: names.auditLog
    location: location
    tags: tags
    retentionDays: auditRetentionDays
    isPrivate: privateTelemetry
  }
}

// The data that the app must not lose: ledger, waiting rows, dead letters. Also the host's own data and the packages.
module storage 'modules/storage-account.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: names.storage
    location: location
    tags: tags
    redundancy: storageRedundancy
    keyType: storageKeyType
    keyUrl: storageKeyUrl
    keyIdentityId: storageKeyIdentityId
    infrastructureEncryption: infrastructureEncryption
    containers: ['deployments', 'dead-letters']
    queues: ['due', 'due-long']
    lettersContainers: ['dead-letters']
    resolvedRetentionDays: resolvedRetentionDays
    access: privateNetwork ? 'closed' : 'public'
    isLocked: lockData
    logAnalyticsId: monitoring.outputs.logAnalyticsId
    tableLogId: auditRetentionDays > 0 ? auditLog!.outputs.id : ''
  }
}

module storageRoles 'modules/app-storage-roles.bicep' = {
  scope: group
  name: 'storage-roles'
  params: {
    accountName: storage.outputs.name
    principalId: identity.outputs.principalId
  }
}

// Event Grid's own dead letters. They need another account, because Event Grid writes them when the app's account is down.
// The queue of events is here too, so that Event Grid reaches only one account through a firewall.
module undeliveredStorage 'modules/storage-account.bicep' = {
  scope: group
  name: 'undelivered-storage'
  params: {
    name: names.undeliveredStorage
    location: location
    tags: tags
    redundancy: storageRedundancy
    keyType: storageKeyType
    keyUrl: storageKeyUrl
    keyIdentityId: storageKeyIdentityId
    infrastructureEncryption: infrastructureEncryption
    containers: ['undelivered']
    queues: eventQueues
    lettersContainers: ['undelivered']
    resolvedRetentionDays: resolvedRetentionDays
    // Event Grid delivers from outside the network. The firewall lets the topic's identity in.
    access: privateNetwork ? 'trusted-services' : 'public'
    isLocked: lockData
    logAnalyticsId: monitoring.outputs.logAnalyticsId
    tableLogId: ''
  }
}

module undeliveredForApp 'modules/container-role.bicep' = {
  scope: group
  name: 'undelivered-for-app'
  params: {
    accountName: undeliveredStorage.outputs.name
    containerName: 'undelivered'
    principalId: identity.outputs.principalId
  }
}

module workflowStorage 'modules/storage-account.bicep' = if (separateWorkflowStorage) {
  scope: group
  name: 'workflow-storage'
  params: {
    name: names.workflowStorage
    location: location
    tags: tags
    redundancy: storageRedundancy
    keyType: storageKeyType
    keyUrl: storageKeyUrl
    keyIdentityId: storageKeyIdentityId
    infrastructureEncryption: infrastructureEncryption
    containers: []
    lettersContainers: []
    resolvedRetentionDays: resolvedRetentionDays
    access: privateNetwork ? 'closed' : 'public'
    isLocked: lockData
    logAnalyticsId: monitoring.outputs.logAnalyticsId
    tableLogId: auditRetentionDays > 0 ? auditLog!.outputs.id : ''
  }
}

module workflowStorageRole 'modules/workflow-storage-role.bicep' = if (separateWorkflowStorage) {
  scope: group
  name: 'workflow-storage-role'
  params: {
    accountName: separateWorkflowStorage ? workflowStorage!.outputs.name : ''
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  name: 'key-vault'
  params: {
    name: names.keyVault
    location: location
    tags: tags
    readerPrincipalId: identity.outputs.principalId
    officerPrincipalId: personId
    officerPrincipalType: principalType
    isPrivate: privateNetwork
    operatorRanges: operatorRangeList
    isLocked: lockData
    logAnalyticsId: monitoring.outputs.logAnalyticsId
  }
}

module healthWorkspace 'modules/health-workspace.bicep' = if (createWorkspace) {
  scope: group
  name: 'health-workspace'
  params: {
    name: workspaceName
    location: location
    tags: tags
    fhirServices: fhirServiceList
    dicomServices: dicomServiceList
    isPrivate: privateNetwork
    userPrincipalId: personId
    userPrincipalType: principalType
  }
}

module healthReaders 'modules/health-readers.bicep' = if (hasWorkspace) {
  scope: resourceGroup(workspaceGroupName)
  name: '${functionAppName}-readers'
  params: {
    workspaceName: workspaceName
    fhirServices: fhirServiceList
    dicomServices: dicomServiceList
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    healthWorkspace
  ]
}

module workspaceRegion 'modules/workspace-region.bicep' = if (makesTopic) {
  scope: resourceGroup(workspaceGroupName)
  name: '${functionAppName}-region'
  params: {
    workspaceName: workspaceName
  }
  dependsOn: [
    healthWorkspace
  ]
}

module systemTopic 'modules/system-topic.bicep' = if (makesTopic) {
  scope: resourceGroup(workspaceGroupName)
  name: '${functionAppName}-topic'
  params: {
    name: topicName
    location: makesTopic ? workspaceRegion!.outputs.location : ''
    workspaceId: usedWorkspaceId
    tags: tags
    diagnosticsLogAnalyticsId: diagnostics ? monitoring.outputs.logAnalyticsId : ''
  }
}

module existingSystemTopic 'modules/existing-system-topic.bicep' = if (usesExistingTopic) {
  scope: resourceGroup(topicGroupName)
  name: '${functionAppName}-existing-topic'
  params: {
    name: topicName
  }
}

module undeliveredForTopic 'modules/container-role.bicep' = if (hasWorkspace) {
  scope: group
  name: 'undelivered-for-topic'
  params: {
    accountName: undeliveredStorage.outputs.name
    containerName: 'undelivered'
    principalId: usesExistingTopic
      ? existingSystemTopic!.outputs.principalId
      : makesTopic ? systemTopic!.outputs.principalId : ''
  }
}

module eventQueueRoles 'modules/event-queue-roles.bicep' = if (ingress == 'queue') {
  scope: group
  name: 'event-queue-roles'
  params: {
    accountName: undeliveredStorage.outputs.name
    appPrincipalId: identity.outputs.principalId
    topicPrincipalId: usesExistingTopic
      ? existingSystemTopic!.outputs.principalId
      : makesTopic ? systemTopic!.outputs.principalId : ''
  }
}

module network 'modules/network.bicep' = if (makesNetwork) {
  scope: group
  name: 'network'
  params: {
    name: names.network
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    natGatewayId: natGatewayId
    diagnosticsLogAnalyticsId: diagnostics ? monitoring.outputs.logAnalyticsId : ''
  }
}

// The endpoint ends the public access of a workspace, so it is an option of its own.
var hasHealthEndpoint = hasWorkspace && (createWorkspace || workspacePrivateEndpoint != 'off')
var healthZones = ['workspace.azurehealthcareapis.com', 'fhir.azurehealthcareapis.com', 'dicom.azurehealthcareapis.com']
// A network of its own, or subnets of an existing network.
var makesNetwork = privateNetwork && empty(appSubnetId)

module privateEndpoints 'modules/private-endpoints.bicep' = if (privateNetwork) {
  scope: group
  name: 'private-endpoints'
  params: {
    location: location
    tags: tags
    networkId: makesNetwork ? network!.outputs.id : join(take(split(appSubnetId, '/'), 9), '/')
    subnetId: makesNetwork ? network!.outputs.endpointsSubnetId : endpointsSubnetId
    zonesGroupId: dnsZones
    endpoints: concat(
      [
        { name: '${names.privateEndpoints}-blob', target: storage.outputs.id, group: 'blob', zones: ['blob'] }
        { name: '${names.privateEndpoints}-table', target: storage.outputs.id, group: 'table', zones: ['table'] }
        { name: '${names.privateEndpoints}-queue', target: storage.outputs.id, group: 'queue', zones: ['queue'] }
        { name: '${names.privateEndpoints}-undelivered', target: undeliveredStorage.outputs.id, group: 'blob', zones: ['blob'] }
        { name: '${names.privateEndpoints}-vault', target: vault.outputs.id, group: 'vault', zones: ['vaultcore.azure.net'] }
      ],
      separateWorkflowStorage
        ? [{ name: '${names.privateEndpoints}-workflows', target: workflowStorage!.outputs.id, group: 'table', zones: ['table'] }]
        : [],
      ingress == 'queue'
        ? [{ name: '${names.privateEndpoints}-events', target: undeliveredStorage.outputs.id, group: 'queue', zones: ['queue'] }]
        : [],
      hasHealthEndpoint
        ? [{ name: '${names.privateEndpoints}-health', target: usedWorkspaceId, group: 'healthcareworkspace', zones: healthZones }]
        : []
    )
  }
  // A workspace refuses a change while another change is under way, and its services must exist to get DNS names.
  dependsOn: [
    healthWorkspace
    systemTopic
  ]
}

// The names are those that src/config.ts reads; docs/settings.md explains them.
var settings = {
  AzureWebJobsStorage__accountName: storage.outputs.name
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  UndeliveredStorage__accountName: undeliveredStorage.outputs.name
  UndeliveredStorage__credential: 'managedidentity'
  UndeliveredStorage__clientId: identity.outputs.clientId
  WorkflowStorage__accountName: separateWorkflowStorage ? workflowStorage!.outputs.name : ''
  WorkflowStorage__credential: separateWorkflowStorage ? 'managedidentity' : ''
  WorkflowStorage__clientId: separateWorkflowStorage ? identity.outputs.clientId : ''
  // Other code that asks for a token gets a token of the same identity.
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  INGRESS: ingress
  WORKSPACES: usedWorkspaceId
  FHIR_HOSTS: fhirHosts
  DICOM_HOSTS: dicomHosts
  RECONCILE: reconcile
  LOOKUPS: lookups
  // Without a client id, the app does not start: a sign-in that is required must not be left out in silence.
  REQUIRE_SIGN_IN: requireSignIn
  SIGN_IN_CLIENT_ID: signIn == 'on' ? signInClientId : ''
  SIGN_IN_TENANT_ID: signIn == 'on' ? subscription().tenantId : ''
  LOOKUP_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/lookup-key)'
  ALERT_WEBHOOK_URL: alertWebhookUrl
  ALERT_WEBHOOK_SECRET: empty(alertWebhookUrl)
    ? ''
    : '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/alert-webhook-secret)'
  STUDY_QUIET_MINUTES: studyQuietMinutes
  LEDGER_RETENTION_DAYS: ledgerRetentionDays
  RESOLVED_RETENTION_DAYS: string(resolvedRetentionDays)
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identity.outputs.clientId}'
  // No statistics of the telemetry libraries go to Microsoft.
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED: 'true'
  // The host decides which traces are sent, and the app follows. The host's exporter knows this sampler.
  OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
  OTEL_TRACES_SAMPLER_ARG: tracesShare
}

module functionApp 'modules/function-app.bicep' = {
  scope: group
  name: 'function-app'
  params: {
    name: functionAppName
    planName: names.plan
    location: location
    tags: tags
    identityId: identity.outputs.id
    deploymentContainerUrl: '${storage.outputs.blobEndpoint}deployments'
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyInstances: alwaysReadyInstances
    httpConcurrency: httpConcurrency
    zoneRedundant: zoneRedundant
    updateStrategy: updateStrategy
    subnetId: makesNetwork ? network!.outputs.appSubnetId : privateNetwork ? appSubnetId : ''
    takesFromQueue: ingress == 'queue'
    isPublic: !isAppPrivate
    isRestricted: privateNetwork || !empty(operatorRangeList)
    operatorRanges: operatorRangeList
    deployFromAnywhere: deployFromAnywhere
    admitsAvailabilityTests: availabilityTest
    diagnosticsLogAnalyticsId: diagnostics ? monitoring.outputs.logAnalyticsId : ''
    settings: union(settings, pairsOf(moreSettings))
  }
  // The app must find its roles and its network at its first start.
  dependsOn: [
    storageRoles
    undeliveredForApp
    eventQueueRoles
    workflowStorageRole
    healthReaders
    privateEndpoints
  ]
}

// An environment keeps the client id after SIGN_IN is off, so that this turns the authentication off in Azure too.
module auth 'modules/auth.bicep' = if (!empty(signInClientId)) {
  scope: group
  name: 'auth'
  params: {
    functionAppName: functionApp.outputs.name
    isOn: signIn == 'on'
    clientId: signInClientId
    tenantId: subscription().tenantId
    isRequired: requireSignIn == 'on'
  }
}

// For operators and deployments in the network, and in networks that are peered with it.
module appEndpoint 'modules/private-endpoints.bicep' = if (isAppPrivate) {
  scope: group
  name: 'app-endpoint'
  params: {
    location: location
    tags: tags
    networkId: makesNetwork ? network!.outputs.id : join(take(split(appSubnetId, '/'), 9), '/')
    subnetId: makesNetwork ? network!.outputs.endpointsSubnetId : endpointsSubnetId
    zonesGroupId: dnsZones
    endpoints: [
      { name: '${names.privateEndpoints}-app', target: functionApp.outputs.id, group: 'sites', zones: ['azurewebsites.net'] }
    ]
  }
}

// Azure's default for all apps on Flex Consumption of a subscription in a region: 250 instances of 2 GB. A support
// request can raise it.
var regionalQuotaMB = 512000
var storageAccountIds = concat(
  [storage.outputs.id, undeliveredStorage.outputs.id],
  separateWorkflowStorage ? [workflowStorage!.outputs.id] : []
)

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: tags
    namePrefix: functionAppName
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    logAnalyticsId: monitoring.outputs.logAnalyticsId
    storageAccountIds: storageAccountIds
    functionAppId: functionApp.outputs.id
    existingActionGroupId: actionGroupId
    emails: listOf(alertEmails)
    phones: listOf(alertPhones)
    incidentWebhookUrl: incidentWebhookUrl
    testedUrl: availabilityTest && !isAppPrivate ? '${functionApp.outputs.url}/api/health/live' : ''
    // Four fifths of what the app may use: its own maximum, or the quota of a subscription in a region.
    maxInstances: max(1, min(maximumInstances, regionalQuotaMB / instanceMemoryMB) * 8 / 10)
    areRulesOn: alertsOn
    areEventsExpected: eventsExpected
  }
}

module topicAlerts 'modules/topic-alerts.bicep' = if (hasWorkspace) {
  scope: group
  name: 'topic-alerts'
  params: {
    tags: tags
    namePrefix: functionAppName
    systemTopicId: topicId
    subscriptionNames: ['${functionAppName}-fhir', '${functionAppName}-dicom']
    actionGroupId: alerts.outputs.actionGroupId
    areRulesOn: alertsOn
  }
  dependsOn: [
    systemTopic
  ]
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: {
    location: location
    tags: tags
    name: 'Clinical events of ${environmentName}'
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    logAnalyticsId: monitoring.outputs.logAnalyticsId
    systemTopicId: topicId
    storageAccountIds: storageAccountIds
  }
}

@description('Resource group of the app.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output FUNCTION_APP_NAME string = functionApp.outputs.name

@description('Resource id of the function app.')
output FUNCTION_APP_ID string = functionApp.outputs.id

@description('URL of the app.')
output FUNCTION_APP_URL string = functionApp.outputs.url

@description('Name of the account with ledger and dead letters.')
output STORAGE_ACCOUNT_NAME string = storage.outputs.name

@description('Name of the account with Event Grid\'s undelivered events.')
output UNDELIVERED_STORAGE_NAME string = undeliveredStorage.outputs.name

@description('Resource id of the account with Event Grid\'s undelivered events.')
output UNDELIVERED_STORAGE_ID string = undeliveredStorage.outputs.id

@description('Name of the vault.')
output KEY_VAULT_NAME string = vault.outputs.name

@description('Resource id of the workspace; empty if there is none.')
output AHDS_WORKSPACE_ID string = usedWorkspaceId

@description('Name of the system topic; empty if there is no workspace.')
output SYSTEM_TOPIC_NAME string = topicName

@description('Resource group of the system topic.')
output SYSTEM_TOPIC_RESOURCE_GROUP string = topicGroupName

@description('FHIR services of the subscription, as hosts with commas between; empty for all, none for no subscription.')
output SUBSCRIBED_FHIR_HOSTS string = !filterByService ? '' : empty(fhirHosts) ? 'none' : fhirHosts

@description('DICOM services of the subscription, as hosts with commas between; empty for all, none for no subscription.')
output SUBSCRIBED_DICOM_HOSTS string = !filterByService ? '' : empty(dicomHosts) ? 'none' : dicomHosts

@description('How events come.')
output SUBSCRIBED_INGRESS string = ingress

@description('Schema of the events.')
output EVENT_SCHEMA string = eventSchema
