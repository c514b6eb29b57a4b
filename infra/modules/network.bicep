// A network of 256 addresses with two subnets: one that the app reaches other services from, one for private endpoints.

@description('Name of the network.')
param name string

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Addresses of the network: a /24, or more.')
param addressPrefix string

@description('Resource id of a NAT gateway for what the app sends to public addresses; empty for Azure\'s own.')
param natGatewayId string

// Half of it for the app, whose instances take addresses as it scales; a quarter for endpoints, which take a dozen.
var appPrefix = cidrSubnet(addressPrefix, 25, 0)
var endpointsPrefix = cidrSubnet(addressPrefix, 26, 2)

// The default rules are what it takes: requests come by the app's public address, and from the internet nothing comes in.
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
        // Flex Consumption takes no subnet with an underscore in its name.
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
          // Rules count for private endpoints only with this.
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

@description('Subnet that the app reaches other services from.')
output appSubnetId string = network::app.id

@description('Subnet for private endpoints.')
output endpointsSubnetId string = network::endpoints.id
