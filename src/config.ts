import type { ServiceHost } from './clients/service-host.js';
import { type Env, type IdentityConfig, isLoopback, Settings, type StorageConfig } from './config-reader.js';
import { readTelemetrySettings, type TelemetrySettings } from './telemetry/settings.js';
import type { Setting } from './workflow.js';

/** The settings, read once at start. Units are in the names. */
export type Config = {
  readonly storage: StorageConfig;
  /** The name of `storage`'s connection, which the bindings of the host need, too. */
  readonly storageConnection: 'EventStorage' | 'AzureWebJobsStorage';
  /** For the workflows' own tables and the watermarks; `storage` where absent. */
  readonly workflowStorage: StorageConfig<'table'> | undefined;
  /** Event Grid's own dead letters; in `storage` where absent. */
  readonly undeliveredStorage: StorageConfig<'blob'> | undefined;
  /** `INGRESS`: `webhook`, the default, or `queue`. */
  readonly ingress: Ingress;
  /** `WORKSPACES`: Azure resource ids in lower case; undefined for all. */
  readonly workspaces: readonly string[] | undefined;
  /** `FHIR_HOSTS`, `DICOM_HOSTS`: the services that may be sent a token. None where absent. */
  readonly fhirHosts: readonly ServiceHost[];
  readonly dicomHosts: readonly ServiceHost[];
  /** `FHIR_BATCH_READS`: `off` or `on`, the default. */
  readonly fhirBatchReads: boolean;
  /**
   * The identity of `storage` if it has one and `AZURE_CLIENT_ID` is absent, else what DefaultAzureCredential finds.
   */
  readonly readerIdentity: IdentityConfig;
  /** `DEADLINE_SECONDS`: how long a delivery waits for its handlers; 5 to 20, default 15. */
  readonly deadlineMs: number;
  /** `LEASE_SECONDS`: how long a lease lasts without renewal; 30 to 300, locally from 10, default 60. */
  readonly leaseMs: number;
  /** `LEDGER_RETENTION_DAYS`: how long a settled job is remembered; 2 to 365, default 7. See `checkRetention`. */
  readonly ledgerRetentionDays: number;
  /** `RESOLVED_RETENTION_DAYS`: how long a resolved dead letter is kept; 1 to 3650, default 30. */
  readonly resolvedRetentionDays: number;
  /** `REDRIVE_UNDELIVERED`: `off` or `on`, the default. */
  readonly redriveUndelivered: boolean;
  /** `RECONCILE`: `off` or `on`, the default. Only with a service that may be read. */
  readonly reconcile: boolean;
  readonly signIn: SignInConfig;
  /** `SIMULATOR`, `LOOKUPS`: `on` or `off`, the default. */
  readonly simulator: boolean;
  readonly lookups: boolean;
  /** Destinations of telemetry beside the console; undefined for none. */
  readonly telemetry: TelemetrySettings | undefined;
  /** Any setting by its name, for workflows' own settings. */
  readonly setting: Setting;
  /** `PORT`: of the embedded host; 0 for any that is free, default 7071. */
  readonly port: number;
};

type SignInConfig = {
  /** `WEBSITE_AUTH_ENABLED`, which Azure sets: only then can the headers with the caller's identity be trusted. */
  readonly isOn: boolean;
  /** `REQUIRE_SIGN_IN`: a key is not enough to call the HTTP API. */
  readonly isRequired: boolean;
  /** `SIGN_IN_CLIENT_ID`, `SIGN_IN_TENANT_ID`, in lower case: a sign-in for another app or tenant is refused. */
  readonly clientId: string | undefined;
  readonly tenantId: string | undefined;
};

/** The way of events to the app: Event Grid posts them, or puts them into a queue in the account of `undelivered`. */
type Ingress =
  | { readonly kind: 'webhook' }
  | { readonly kind: 'queue'; readonly storage: StorageConfig<'queue'>; readonly connection: string };

const DAY_MS = 24 * 3_600_000;
const WORKSPACE = /^\/subscriptions\/[^\s,]+$/;

/** Ends the start of the app. The message names every wrong setting, and holds no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Fix these settings:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Returns the problem without the value that was found: `NAME is FOUND, must be EXPECTED` becomes
 * `NAME must be EXPECTED`. Any part of a problem in another form may be a value, so nothing of it is returned.
 */
export function withoutValue(problem: string): string {
  const [, name, expected] = /^(\w+) is .*, must be (.*)$/s.exec(problem) ?? [];
  return name ? `${name} must be ${expected}` : "another problem, which only the app's log describes";
}

/**
 * Returns the settings in `env`. Names compare without case and empty values count as absent, as they do for the host.
 * @throws ConfigError that lists every wrong setting.
 */
export function readConfig(env: Env = process.env): Config {
  const settings = new Settings(env);
  const storageConnection = settings.hasConnection('EventStorage') ? 'EventStorage' : 'AzureWebJobsStorage';
  const storage = settings.connection(storageConnection, ['table', 'blob', 'queue']);
  const isLocal = settings.text('AZURE_FUNCTIONS_ENVIRONMENT')?.toLowerCase() === 'development' || isLoopback(storage);
  const { telemetry, problems } = readTelemetrySettings((name) => settings.text(name), { isLocal });
  settings.problems.push(...problems);
  const fhirHosts = settings.serviceHosts('FHIR_HOSTS', (host) => `https://${host}`);
  const dicomHosts = settings.serviceHosts('DICOM_HOSTS', () => 'https://dicom.healthcareapis.azure.com');
  const isQueue = settings.oneOf('INGRESS', ['webhook', 'queue']) === 'queue';
  const undelivered: readonly ('blob' | 'queue')[] = isQueue ? ['blob', 'queue'] : ['blob'];
  const undeliveredStorage = settings.optionalConnection('UndeliveredStorage', undelivered);
  const config: Omit<Config, 'storage' | 'ingress'> = {
    storageConnection,
    workflowStorage: settings.optionalConnection('WorkflowStorage', ['table']),
    undeliveredStorage,
    workspaces: settings.list('WORKSPACES', WORKSPACE, 'Azure resource ids, /subscriptions/…, with commas between'),
    fhirHosts,
    dicomHosts,
    fhirBatchReads: settings.isOn('FHIR_BATCH_READS', { fallback: true }),
    readerIdentity: readerIdentityOf(settings, storage),
    deadlineMs: settings.wholeNumber('DEADLINE_SECONDS', { from: 5, to: 20, fallback: 15 }) * 1000,
    leaseMs: settings.wholeNumber('LEASE_SECONDS', { from: isLocal ? 10 : 30, to: 300, fallback: 60 }) * 1000,
    ledgerRetentionDays: settings.wholeNumber('LEDGER_RETENTION_DAYS', { from: 2, to: 365, fallback: 7 }),
    resolvedRetentionDays: settings.wholeNumber('RESOLVED_RETENTION_DAYS', { from: 1, to: 3650, fallback: 30 }),
    redriveUndelivered: settings.isOn('REDRIVE_UNDELIVERED', { fallback: true }),
    reconcile: settings.isOn('RECONCILE', { fallback: true }) && fhirHosts.length + dicomHosts.length > 0,
    signIn: signInOf(settings),
    simulator: settings.isOn('SIMULATOR'),
    lookups: settings.isOn('LOOKUPS'),
    telemetry,
    setting: (name) => settings.text(name),
    port: settings.wholeNumber('PORT', { from: 0, to: 65_535, fallback: 7071 }),
  };
  if (storage === undefined || settings.problems.length > 0) throw new ConfigError(settings.problems);
  const connection = undeliveredStorage ? 'UndeliveredStorage' : storageConnection;
  const queue = { kind: 'queue', storage: undeliveredStorage ?? storage, connection } as const;
  const ingress: Ingress = isQueue ? queue : { kind: 'webhook' };
  return Object.freeze({ storage, ingress, ...config });
}

/** Returns a reader of single settings, which works even where other settings are wrong. */
export function readSetting(env: Env = process.env): Setting {
  const settings = new Settings(env);
  return (name) => settings.text(name);
}

/** Returns whether `env` names a connection for `storage`. Without one, `npm start` starts Azurite. */
export function namesStorage(env: Env = process.env): boolean {
  const settings = new Settings(env);
  return settings.hasConnection('EventStorage') || settings.hasConnection('AzureWebJobsStorage');
}

/**
 * Checks that the ledger remembers a job for at least twice the longest retry of any workflow.
 * @throws ConfigError if it does not.
 */
export function checkRetention(config: Pick<Config, 'ledgerRetentionDays'>, longestRetryMs: number): void {
  const leastDays = Math.ceil((2 * longestRetryMs) / DAY_MS);
  if (config.ledgerRetentionDays >= leastDays) return;
  const least = `at least ${leastDays}, twice the longest retry of a workflow`;
  throw new ConfigError([`LEDGER_RETENTION_DAYS is ${config.ledgerRetentionDays}, must be ${least}`]);
}

/** Where a sign-in is required, the app must know for which app and tenant. */
function signInOf(settings: Settings): SignInConfig {
  const isRequired = settings.isOn('REQUIRE_SIGN_IN');
  return {
    isOn: settings.text('WEBSITE_AUTH_ENABLED')?.toLowerCase() === 'true',
    isRequired,
    clientId: settings.guid('SIGN_IN_CLIENT_ID', { isNeeded: isRequired }),
    tenantId: settings.guid('SIGN_IN_TENANT_ID', { isNeeded: isRequired }),
  };
}

/** Without `AZURE_CLIENT_ID`, the readers use the identity that is named for storage. */
function readerIdentityOf(settings: Settings, storage: StorageConfig | undefined): IdentityConfig {
  const isNamed = settings.text('AZURE_CLIENT_ID') !== undefined;
  if (isNamed || storage?.kind !== 'identity') return { kind: 'identity', credential: 'default' };
  const { kind, credential, clientId } = storage;
  return { kind, credential, ...(clientId !== undefined && { clientId }) };
}
