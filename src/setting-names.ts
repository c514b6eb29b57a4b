/**
 * The names of the settings of the app and its built-in workflows. Names compare without case.
 * docs/settings.md lists the same names; a test compares both with what the source reads.
 */
export const CONNECTIONS = ['EventStorage', 'WorkflowStorage', 'UndeliveredStorage'] as const;
export const SETTING_NAMES = [
  ...CONNECTIONS,
  'INGRESS',
  'WORKSPACES',
  'FHIR_HOSTS',
  'DICOM_HOSTS',
  'FHIR_BATCH_READS',
  'AZURE_CLIENT_ID',
  'DEADLINE_SECONDS',
  'LEASE_SECONDS',
  'LEDGER_RETENTION_DAYS',
  'RESOLVED_RETENTION_DAYS',
  'REDRIVE_UNDELIVERED',
  'RECONCILE',
  'LOOKUPS',
  'LOOKUP_KEY',
  'REQUIRE_SIGN_IN',
  'SIGN_IN_CLIENT_ID',
  'SIGN_IN_TENANT_ID',
  'ALERT_RULES',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
  'STUDY_QUIET_MINUTES',
  'SIMULATOR',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_SERVICE_NAME',
  'PORT',
] as const;

/** Settings of the Functions host and of Azure that the app reads too. */
export const HOST_SETTING_NAMES = [
  'AzureWebJobsStorage',
  'AZURE_FUNCTIONS_ENVIRONMENT',
  'WEBSITE_AUTH_ENABLED',
  'WEBSITE_SITE_NAME',
] as const;

export type SettingName = (typeof SETTING_NAMES)[number];

/** The parts that can follow a connection's name and `__`, by the convention of Functions. */
export const CONNECTION_PARTS = [
  'accountName',
  'tableServiceUri',
  'blobServiceUri',
  'queueServiceUri',
  'credential',
  'clientId',
] as const;

/** Matches settings of the Functions host, Azure, Node and OpenTelemetry, which the app does not know one by one. */
export const OTHERS_SETTINGS =
  /^(AzureWebJobs|AzureFunctions|FUNCTIONS_|languageWorkers|WEBSITE_|SCM_|APPLICATIONINSIGHTS_|OTEL_|AZURE_|NODE_|TZ$|(HTTPS?|NO)_PROXY$)/i;
