// The authentication of App Service (v2) before the HTTP API: it checks tokens and sessions of Entra ID, and tells the app
// who calls. The app itself decides by roles (src/functions/access.ts). On Flex Consumption, the Functions host runs it.

@description('Name of the function app.')
param functionAppName string

@description('Whether people sign in. Where they no longer do, this turns off what an earlier deployment has turned on.')
param isOn bool

@description('Client id of the registration in Entra ID.')
param clientId string

@description('Tenant of the registration.')
param tenantId string

@description('Whether a request without a sign-in is refused before it reaches the app.')
param isRequired bool

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionAppName
}

resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: isOn
      runtimeVersion: '~1'
    }
    globalValidation: {
      requireAuthentication: isRequired
      unauthenticatedClientAction: isRequired ? 'Return401' : 'AllowAnonymous'
      // Event Grid sends the webhook's own key, and no token: a 401 would stop all events. The files of the page hold no data.
      excludedPaths: [
        '/runtime/webhooks/EventGrid'
        '/runtime/webhooks/eventgrid'
        '/api/health/live'
        '/api/ui'
        '/api/ui/*'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        // Without a client secret, a browser signs in by an ID token, and there is no secret to renew.
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
        }
      }
    }
    login: {
      // A session ends with its token, so that a role that was taken away ends within the hour. The app checks the same time.
      cookieExpiration: {
        convention: 'IdentityProviderDerived'
      }
      preserveUrlFragmentsForLogins: true
      tokenStore: {
        enabled: false
      }
    }
  }
}
