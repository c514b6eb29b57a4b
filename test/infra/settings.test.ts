import { readSettings } from '../../src/functions/read-settings.js';
import { workflows } from '../../src/workflows/index.js';
import { settingsRead } from './app.js';
import { type BicepFile, propertiesOf, type Resource, readBicep, valueAt } from './bicep.js';

const WORKSPACE = '/subscriptions/0/resourceGroups/clinic/providers/Microsoft.HealthcareApis/workspaces/clinic';

/** An example value for each setting that infra makes, from a deployment with every feature on. */
const DEPLOYED: Readonly<Record<string, string>> = {
  AzureWebJobsStorage__accountName: 'stclinic',
  AzureWebJobsStorage__credential: 'managedidentity',
  AzureWebJobsStorage__clientId: '11111111-1111-1111-1111-111111111111',
  UndeliveredStorage__accountName: 'stuclinic',
  UndeliveredStorage__credential: 'managedidentity',
  UndeliveredStorage__clientId: '11111111-1111-1111-1111-111111111111',
  WorkflowStorage__accountName: 'stwclinic',
  WorkflowStorage__credential: 'managedidentity',
  WorkflowStorage__clientId: '11111111-1111-1111-1111-111111111111',
  AZURE_CLIENT_ID: '11111111-1111-1111-1111-111111111111',
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
  INGRESS: 'queue',
  WORKSPACES: WORKSPACE,
  FHIR_HOSTS: 'clinic-a.fhir.azurehealthcareapis.com,clinic-b.fhir.azurehealthcareapis.com',
  DICOM_HOSTS: 'clinic-images.dicom.azurehealthcareapis.com',
  RECONCILE: 'on',
  LOOKUPS: 'on',
  REQUIRE_SIGN_IN: 'on',
  SIGN_IN_CLIENT_ID: '33333333-3333-3333-3333-333333333333',
  SIGN_IN_TENANT_ID: '44444444-4444-4444-4444-444444444444',
  LOOKUP_KEY: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  ALERT_WEBHOOK_URL: 'https://alerts.example.com/hook',
  ALERT_WEBHOOK_SECRET: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  STUDY_QUIET_MINUTES: '10',
  LEDGER_RETENTION_DAYS: '7',
  RESOLVED_RETENTION_DAYS: '30',
  APPLICATIONINSIGHTS_CONNECTION_STRING:
    'InstrumentationKey=22222222-2222-2222-2222-222222222222;IngestionEndpoint=https://westeurope.in.example.com/',
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=11111111-1111-1111-1111-111111111111',
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED: 'true',
  OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage',
  OTEL_TRACES_SAMPLER_ARG: '0.05',
};

/** Settings that a library reads, not src/. */
const READ_BY_OTHERS: Readonly<Record<string, string>> = {
  AZURE_TOKEN_CREDENTIALS: '@azure/identity',
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED: 'the exporter of the host',
};

/**
 * Settings that the app reads and infra leaves out, each with the reason. MORE_SETTINGS can set those that suit Azure.
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
  EventStorage: 'AzureWebJobsStorage replaces it',
  SIMULATOR: 'only for local use',
  PORT: 'only for npm start',
  AZURE_FUNCTIONS_ENVIRONMENT: 'Azure sets it',
  WEBSITE_AUTH_ENABLED: 'Azure sets it',
  WEBSITE_SITE_NAME: 'Azure sets it',
  ALERT_RULES: 'the default is right; another value is the path of a file in the package',
  REDRIVE_UNDELIVERED: 'the default is right',
  FHIR_BATCH_READS: 'the default is right',
  DEADLINE_SECONDS: 'the default is right',
  LEASE_SECONDS: 'the default is right',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'telemetry goes to Application Insights',
  OTEL_SERVICE_NAME: 'the name of the function app',
};

/** Settings of Consumption and Premium plans. Flex Consumption refuses or ignores them. */
const NOT_IN_FLEX =
  /^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_\w+|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|TZ)$/;

/**
 * Properties of a site and its siteConfig that Flex Consumption refuses with error 51021, in some regions even if they are
 * null. From Microsoft's list (https://learn.microsoft.com/azure/azure-functions/functions-app-settings, "Flex Consumption
 * plan deprecations"), Azure/azure-cli#31414 and Azure/terraform-azurerm-avm-res-web-site#283 and #360.
 */
const REFUSED_BY_FLEX =
  `alwaysOn containerSize ftpsState functionAppScaleLimit functionsRuntimeScaleMonitoringEnabled isReserved
  isXenon javaVersion linuxFxVersion netFrameworkVersion powerShellVersion preWarmedInstanceCount reserved
  use32BitWorkerProcess vnetBackupRestoreEnabled vnetContentShareEnabled vnetImagePullEnabled vnetRouteAllEnabled
  windowsFxVersion`.split(/\s+/);

let settings: ReadonlyMap<string, string>;
let main: BicepFile;
let site: Resource;
beforeAll(async () => {
  const files = await readBicep();
  main = files.find(({ path }) => path === 'infra/main.bicep') as BicepFile;
  site = files
    .flatMap(({ resources }) => resources)
    .find((one) => one.type === 'Microsoft.Web/sites' && !one.isExisting) as Resource;
  const object = main.variables.find(({ name }) => name === 'settings');
  const node = object && valueAt(object.node);
  settings = new Map([...propertiesOf(node)].map(([name, value]) => [name, value.text]));
});

describe('when infra sets the settings of the app', () => {
  it('given the deployed settings, then the app reads them without problems and every workflow is on', () => {
    const { config, on, off } = readSettings(workflows, DEPLOYED);

    expect(Object.keys(DEPLOYED)).toEqual([...settings.keys()]);
    expect(off).toEqual([]);
    expect(on).toHaveLength(workflows.length);
    expect(config).toMatchObject({
      storageConnection: 'AzureWebJobsStorage',
      storage: {
        kind: 'identity',
        credential: 'managedidentity',
        clientId: '11111111-1111-1111-1111-111111111111',
        tableServiceUri: 'https://stclinic.table.core.windows.net',
      },
      undeliveredStorage: { credential: 'managedidentity', blobServiceUri: 'https://stuclinic.blob.core.windows.net' },
      workflowStorage: { credential: 'managedidentity', tableServiceUri: 'https://stwclinic.table.core.windows.net' },
      workspaces: [WORKSPACE.toLowerCase()],
      fhirHosts: [{ host: 'clinic-a.fhir.azurehealthcareapis.com' }, { host: 'clinic-b.fhir.azurehealthcareapis.com' }],
      dicomHosts: [{ host: 'clinic-images.dicom.azurehealthcareapis.com' }],
      reconcile: true,
      lookups: true,
    });
  });

  it('given a setting in the template, then the app or a listed library reads it', () => {
    const read = settingsRead();

    const unread = [...settings.keys()].filter(
      (name) => !read.includes(name.replace(/__.*/, '')) && !(name in READ_BY_OTHERS),
    );

    expect(unread).toEqual([]);
  });

  it('given a setting that the app reads, then the template sets it or LEFT_OUT lists it', () => {
    const set = [...settings.keys()].map((name) => name.replace(/__.*/, ''));

    const unset = settingsRead().filter((name) => !set.includes(name) && !(name in LEFT_OUT));

    expect(unset).toEqual([]);
    expect(set.filter((name) => name in LEFT_OUT)).toEqual([]);
  });

  it('given the Flex Consumption plan, then the template sets no setting that the plan does not support', () => {
    expect([...settings.keys()].filter((name) => NOT_IN_FLEX.test(name))).toEqual([]);
  });

  it('given the Flex Consumption plan, then the app has no property that the plan refuses', () => {
    const properties = valueAt(site.node, 'properties');
    const names = [properties, valueAt(site.node, 'properties', 'siteConfig')].flatMap((object) => [
      ...propertiesOf(object).keys(),
    ]);

    expect(names).toEqual(expect.arrayContaining(['httpsOnly', 'siteConfig', 'minTlsVersion', 'appSettings']));
    expect(names.filter((name) => REFUSED_BY_FLEX.includes(name))).toEqual([]);
  });

  it('given a connection to storage, then it uses an identity and no connection string', () => {
    const connections = [...settings.keys()].filter((name) => /Storage/.test(name));

    expect(connections.filter((name) => !/__(accountName|credential|clientId)$/.test(name))).toEqual([]);
    expect(main.text).not.toMatch(/AccountKey|SharedAccess|DefaultEndpointsProtocol/);
  });

  it('given a secret, then its setting refers to the vault, by the secret name of the hook and the docs', () => {
    const secrets = [...settings].filter(([name]) => /(KEY|SECRET|PASSWORD|TOKEN)$/.test(name));

    expect(secrets.map(([name]) => name)).toEqual(['LOOKUP_KEY', 'ALERT_WEBHOOK_SECRET']);
    for (const [, value] of secrets) {
      expect(value).toMatch(/'@Microsoft\.KeyVault\(SecretUri=\$\{vault\.outputs\.uri\}secrets\/[a-z-]+\)'/);
    }
    expect(settings.get('LOOKUP_KEY')).toContain('/lookup-key)');
    expect(settings.get('ALERT_WEBHOOK_SECRET')).toContain('/alert-webhook-secret)');
  });

  it('given the services of a workspace, then their host names match the host names in events', () => {
    const variable = (name: string) => main.variables.find((declared) => declared.name === name)?.value ?? '';

    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Bicep syntax
    expect(variable('fhirHosts')).toContain("'${workspaceName}-${service}.fhir.azurehealthcareapis.com'");
    expect(variable('dicomHosts')).toContain("'${workspaceName}-${service}.dicom.azurehealthcareapis.com'");
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Bicep syntax
  });
});
