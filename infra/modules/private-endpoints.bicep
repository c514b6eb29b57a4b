// Private endpoints, and their DNS names: in zones of the app's network, or in central zones.

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

@description('Resource id of the resource group with the DNS zones; empty for zones of this network; none for no names, because a policy writes them.')
param zonesGroupId string

@description('Resources that get a private endpoint.')
param endpoints privateTarget[]

var makesZones = empty(zonesGroupId)
// The number of zones must not depend on the suffix, or no tool can predict them.
var zones = union([], flatten(map(endpoints, endpoint => endpoint.zones)))
var zoneNames = map(
  zones,
  zone => contains(zone, '.') ? 'privatelink.${zone}' : 'privatelink.${zone}.${environment().suffixes.storage}'
)
var ownZones = makesZones ? zones : []

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for (name, index) in ownZones: {
    name: zoneNames[index]
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, index) in ownZones: {
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
  for (endpoint, index) in endpoints: if (zonesGroupId != 'none') {
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
            privateDnsZoneId: makesZones
              ? resourceId('Microsoft.Network/privateDnsZones', zoneNames[indexOf(zones, zone)])
              : '${zonesGroupId}/providers/Microsoft.Network/privateDnsZones/${zoneNames[indexOf(zones, zone)]}'
          }
        }
      ]
    }
  }
]
