import {
  isLoopbackUri,
  isServiceUri,
  readServiceHosts,
  SERVICE_HOST_EXPECTED,
  type ServiceHost,
} from './clients/service-host.js';
import type { SettingName } from './setting-names.js';
import type { Service } from './storage/storage-connection.js';
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
  /** `WORKSPACES`: Azure resource ids in lower case; undefined for all. */
  readonly workspaces: readonly string[] | undefined;
  /** `FHIR_HOSTS`, `DICOM_HOSTS`: the services that may be sent a token. None where absent. */
  readonly fhirHosts: readonly ServiceHost[];
  readonly dicomHosts: readonly ServiceHost[];
  /** The identity of `storage` if it has one and `AZURE_CLIENT_ID` is absent, else what DefaultAzureCredential finds. */
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
  /** Whether Azure's authentication is on: only then can the headers with the caller's identity be trusted. */
  readonly isAuthenticated: boolean;
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

/** How to reach the services `S` of a storage account. */
export type StorageConfig<S extends Service = Service> =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | (Readonly<Record<`${S}ServiceUri`, string>> & IdentityConfig);

export type IdentityConfig = {
  readonly kind: 'identity';
  readonly credential: 'managedidentity' | 'default';
  /** Of a user-assigned identity. */
  readonly clientId?: string;
};

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

type Env = Readonly<Record<string, string | undefined>>;

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
  const config: Omit<Config, 'storage'> = {
    storageConnection,
    workflowStorage: settings.optionalConnection('WorkflowStorage', ['table']),
    undeliveredStorage: settings.optionalConnection('UndeliveredStorage', ['blob']),
    workspaces: settings.list('WORKSPACES', WORKSPACE, 'Azure resource ids, /subscriptions/…, with commas between'),
    fhirHosts: settings.serviceHosts('FHIR_HOSTS', (host) => `https://${host}`),
    dicomHosts: settings.serviceHosts('DICOM_HOSTS', () => 'https://dicom.healthcareapis.azure.com'),
    readerIdentity: readerIdentityOf(settings, storage),
    deadlineMs: settings.wholeNumber('DEADLINE_SECONDS', { from: 5, to: 20, fallback: 15 }) * 1000,
    leaseMs: settings.wholeNumber('LEASE_SECONDS', { from: isLocal ? 10 : 30, to: 300, fallback: 60 }) * 1000,
    ledgerRetentionDays: settings.wholeNumber('LEDGER_RETENTION_DAYS', { from: 2, to: 365, fallback: 7 }),
    resolvedRetentionDays: settings.wholeNumber('RESOLVED_RETENTION_DAYS', { from: 1, to: 3650, fallback: 30 }),
    redriveUndelivered: settings.isOn('REDRIVE_UNDELIVERED', { fallback: true }),
    isAuthenticated: settings.text('WEBSITE_AUTH_ENABLED')?.toLowerCase() === 'true',
    simulator: settings.isOn('SIMULATOR'),
    lookups: settings.isOn('LOOKUPS'),
    telemetry,
    setting: (name) => settings.text(name),
    port: settings.wholeNumber('PORT', { from: 0, to: 65_535, fallback: 7071 }),
  };
  if (storage === undefined || settings.problems.length > 0) throw new ConfigError(settings.problems);
  return Object.freeze({ storage, ...config });
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

const DAY_MS = 24 * 3_600_000;
const WORKSPACE = /^\/subscriptions\/[^\s,]+$/;
const DEVELOPMENT_STORAGE = 'UseDevelopmentStorage=true';
/** A longer value may be a secret in the wrong place. */
const MAX_SHOWN = 32;

/** Reads settings one by one and collects their problems. A wrong setting reads as its default. */
class Settings {
  readonly problems: string[] = [];
  readonly #values = new Map<string, string>();

  constructor(env: Env) {
    for (const [name, value = ''] of Object.entries(env)) {
      if (value.trim() !== '') this.#values.set(name.toLowerCase(), value.trim());
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  wholeNumber(name: SettingName, { from, to, fallback }: { from: number; to: number; fallback: number }): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    this.#add(name, shown(text), `a whole number from ${from} to ${to}`);
    return fallback;
  }

  isOn(name: SettingName, { fallback = false }: { fallback?: boolean } = {}): boolean {
    const text = this.text(name);
    if (text !== undefined && text !== 'on' && text !== 'off') this.#add(name, shown(text), `'on' or 'off'`);
    return text === undefined ? fallback : text === 'on';
  }

  list(name: SettingName, item: RegExp, expected: string): readonly string[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const items = text
      .toLowerCase()
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    const wrong = items.filter((part) => !item.test(part));
    if (items.length === 0 || wrong.length > 0) this.#add(name, wrong.map(shown).join(', ') || shown(text), expected);
    return Object.freeze(items);
  }

  serviceHosts(name: SettingName, audienceOf: (host: string) => string): readonly ServiceHost[] {
    const { hosts, wrong } = readServiceHosts(this.text(name) ?? '', audienceOf);
    if (wrong.length > 0) this.#add(name, wrong.map(shown).join(', '), SERVICE_HOST_EXPECTED);
    return hosts;
  }

  hasConnection(name: string): boolean {
    const prefix = `${name.toLowerCase()}__`;
    return this.text(name) !== undefined || [...this.#values.keys()].some((key) => key.startsWith(prefix));
  }

  optionalConnection<S extends Service>(name: string, services: readonly S[]): StorageConfig<S> | undefined {
    return this.hasConnection(name) ? this.connection(name, services) : undefined;
  }

  /** Reads a connection by the host's convention: a connection string has precedence over the other parts. */
  connection<S extends Service>(name: string, services: readonly S[]): StorageConfig<S> | undefined {
    const connectionString = this.text(name);
    if (connectionString === undefined) return this.#identity(name, services);
    const missing = missingParts(connectionString, services);
    if (missing.length === 0) return Object.freeze({ kind: 'connection-string', connectionString });
    this.#add(
      name,
      `${connectionString.length} characters without ${missing.join(', ')}`,
      `a storage connection string or ${DEVELOPMENT_STORAGE}`,
    );
    return undefined;
  }

  #identity<S extends Service>(name: string, services: readonly S[]): StorageConfig<S> | undefined {
    if (!this.hasConnection(name)) {
      this.#add(name, 'absent', `a storage connection string, or ${name}__accountName for an identity`);
      return undefined;
    }
    const uris = services.map((service) => [`${service}ServiceUri`, this.#serviceUri(name, service)]);
    return Object.freeze({ kind: 'identity', ...Object.fromEntries(uris), ...this.#credential(name) });
  }

  #serviceUri(name: string, service: Service): string {
    const uriName = `${name}__${service}ServiceUri`;
    const account = this.text(`${name}__accountName`);
    const uri = this.text(uriName) ?? (account && `https://${account}.${service}.core.windows.net`);
    const expected = `an https URI without a query, or ${name}__accountName an account in Azure's public cloud`;
    if (uri === undefined) this.#add(uriName, 'absent', expected);
    else if (!isServiceUri(uri)) this.#add(uriName, `${uri.length} characters that are no such URI`, expected);
    return (uri ?? '').replace(/\/$/, '');
  }

  #credential(name: string): { credential: 'managedidentity' | 'default'; clientId?: string } {
    const credential = this.text(`${name}__credential`)?.toLowerCase();
    const clientId = this.text(`${name}__clientId`);
    if (credential === 'managedidentity') return { credential, ...(clientId !== undefined && { clientId }) };
    // Without `managedidentity`, the host looks for a client secret and falls back to another identity.
    const expected =
      clientId === undefined ? `'managedidentity' or absent` : `'managedidentity', because there is a clientId`;
    const found = credential === undefined ? 'absent' : `${credential.length} other characters`;
    if (credential !== undefined || clientId !== undefined) this.#add(`${name}__credential`, found, expected);
    return { credential: 'default' };
  }

  #add(name: string, found: string, expected: string): void {
    this.problems.push(`${name} is ${found}, must be ${expected}`);
  }
}

function shown(text: string): string {
  return text.length <= MAX_SHOWN ? `'${text}'` : `${text.length} characters`;
}

/** Returns the parts that the clients of `services` need and this connection string lacks. */
function missingParts(connectionString: string, services: readonly Service[]): string[] {
  if (connectionString.startsWith(DEVELOPMENT_STORAGE)) return [];
  const names = partsOf(connectionString);
  const endpoints = services.map((service) => `${service.charAt(0).toUpperCase()}${service.slice(1)}Endpoint`);
  const hasEndpoints = endpoints.every((endpoint) => names.has(endpoint));
  const needed = names.has('SharedAccessSignature')
    ? endpoints
    : ['DefaultEndpointsProtocol', 'AccountName', 'AccountKey', ...(hasEndpoints ? [] : ['EndpointSuffix'])];
  return needed.filter((part) => !names.has(part));
}

function partsOf(connectionString: string): Map<string, string> {
  const parts = connectionString.split(';').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
  });
  return new Map(parts.filter(([name, value]) => name !== '' && value !== ''));
}

/** Without `AZURE_CLIENT_ID`, the readers use the identity that is named for storage. */
function readerIdentityOf(settings: Settings, storage: StorageConfig | undefined): IdentityConfig {
  const isNamed = settings.text('AZURE_CLIENT_ID') !== undefined;
  if (isNamed || storage?.kind !== 'identity') return { kind: 'identity', credential: 'default' };
  const { kind, credential, clientId } = storage;
  return { kind, credential, ...(clientId !== undefined && { clientId }) };
}

function isLoopback(storage: StorageConfig | undefined): boolean {
  if (storage === undefined) return false;
  if (storage.kind === 'identity') return isLoopbackUri(storage.tableServiceUri);
  if (storage.connectionString.startsWith(DEVELOPMENT_STORAGE)) return true;
  return isLoopbackUri(partsOf(storage.connectionString).get('TableEndpoint') ?? '');
}
