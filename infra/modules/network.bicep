// A network of 256 addresses with two subnets: one for the app's outgoing requests, one for private endpoints.

@description('Name of the network.')
param name string

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Addresses of the network: a /24 or larger.')
param addressPrefix string

@description('Resource id of a NAT gateway for the app\'s requests to public addresses; empty for Azure\'s default.')
param natGatewayId string

@description('Log Analytics workspace for the events of the network\'s rules; empty for none.')
param diagnosticsLogAnalyticsId string

// Half of the network is for the app, whose instances need addresses as the app scales; a quarter is for endpoints, which
// need about twelve addresses.
var appPrefix = cidrSubnet(addressPrefix, 25, 0)
var endpointsPrefix = cidrSubnet(addressPrefix, 26, 2)

// The default rules are enough: requests reach the app by its public address, and nothing enters the network from the
// internet.
resource appRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: '${name}-app'
  location: location
  tags: tags
  properties: {
    securityRules: []
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'network-by-https'
        properties: {
          description: 'Storage, secrets and clinical services all speak HTTPS: with the app, and with operators in peered networks.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: endpointsPrefix
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          description: 'Nothing else is spoken here.'
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource ruleEvents 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(diagnosticsLogAnalyticsId)) {
  scope: endpointRules
  name: 'rule-events'
  properties: {
    workspaceId: diagnosticsLogAnalyticsId
    logs: [
      {
        category: 'NetworkSecurityGroupEvent'
        enabled: true
      }
      {
        category: 'NetworkSecurityGroupRuleCounter'
        enabled: true
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    subnets: [
      {
        // Flex Consumption accepts no subnet with an underscore in its name.
        name: 'app'
        properties: {
          addressPrefix: appPrefix
          networkSecurityGroup: {
            id: appRules.id
          }
          natGateway: empty(natGatewayId)
            ? null
            : {
                id: natGatewayId
              }
          delegations: [
            {
              name: 'functions'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointsPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: endpointRules.id
          }
          // Without this setting, network rules do not apply to private endpoints.
          privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

@description('Resource id of the network.')
output id string = network.id

@description('Subnet for the app\'s outgoing requests.')
output appSubnetId string = network::app.id

@description('Subnet for private endpoints.')
output endpointsSubnetId string = network::endpoints.id
