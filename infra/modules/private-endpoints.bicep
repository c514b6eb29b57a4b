// Private endpoints, and their DNS names in the app's network.

@description('A resource that gets a private endpoint.')
type privateTarget = {
  @description('Name of the endpoint.')
  name: string

  @description('Id of the resource.')
  target: string

  @description('Part of the resource: blob, table, queue, vault, healthcareworkspace.')
  group: string

  @description('DNS zones of the part, without privatelink; blob, table and queue without the suffix of storage.')
  zones: string[]
}

@description('Region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Network that uses the DNS names.')
param networkId string

@description('Subnet for the endpoints.')
param subnetId string

@description('Resources that get a private endpoint.')
param endpoints privateTarget[]

// The number of zones must not depend on the suffix, or no tool can predict them.
var zones = union([], flatten(map(endpoints, endpoint => endpoint.zones)))
var zoneNames = map(
  zones,
  zone => contains(zone, '.') ? 'privatelink.${zone}' : 'privatelink.${zone}.${environment().suffixes.storage}'
)

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for (name, index) in zones: {
    name: zoneNames[index]
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, index) in zones: {
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
        for zone in endpoint.zones: {
          name: replace(zoneNames[indexOf(zones, zone)], '.', '-')
          properties: {
            privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneNames[indexOf(zones, zone)])
          }
        }
      ]
    }
  }
]
