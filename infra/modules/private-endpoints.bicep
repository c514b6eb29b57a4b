// Private endpoints, and the names by which the app finds them in its network.

@description('A resource to be reached privately.')
type privateTarget = {
  @description('Name of the endpoint.')
  name: string

  @description('Resource id of what it leads to.')
  target: string

  @description('Which part of that: blob, table, queue, vault, healthcareworkspace.')
  group: string

  @description('DNS zones in which the part has its names.')
  zones: string[]
}

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('The network in which the names are known.')
param networkId string

@description('Subnet for the endpoints.')
param subnetId string

@description('The resources to reach.')
param endpoints privateTarget[]

var zoneNames = union([], flatten(map(endpoints, endpoint => endpoint.zones)))

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zoneNames: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, index) in zoneNames: {
    parent: zone[index]
    name: 'app'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: networkId
      }
    }
  }
]

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = [
  for endpoint in endpoints: {
    name: endpoint.name
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      customNetworkInterfaceName: '${endpoint.name}-nic'
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.target
            groupIds: [
              endpoint.group
            ]
          }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoint[index]
    name: 'default'
    dependsOn: [
      zone
    ]
    properties: {
      privateDnsZoneConfigs: [
        for zoneName in endpoint.zones: {
          name: replace(zoneName, '.', '-')
          properties: {
            privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneName)
          }
        }
      ]
    }
  }
]
