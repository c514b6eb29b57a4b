import {
  isLoopbackUri,
  isServiceUri,
  readServiceHosts,
  SERVICE_HOST_EXPECTED,
  type ServiceHost,
} from './clients/service-host.js';
import type { SettingName } from './setting-names.js';
import { connectionPartsOf, type Service } from './storage/storage-connection.js';

/** The way to reach the services `S` of a storage account. */
export type StorageConfig<S extends Service = Service> =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | (Readonly<Record<`${S}ServiceUri`, string>> & IdentityConfig);

export type IdentityConfig = {
  readonly kind: 'identity';
  readonly credential: 'managedidentity' | 'default';
  /** The client id of a user-assigned identity. */
  readonly clientId?: string;
};

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEVELOPMENT_STORAGE = 'UseDevelopmentStorage=true';
/** A longer value may be a secret in the wrong place. */
const MAX_SHOWN = 32;

export type Env = Readonly<Record<string, string | undefined>>;

/** Reads settings one by one and collects their problems. A wrong setting reads as its default. */
export class Settings {
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

  guid(name: SettingName, { isNeeded }: { isNeeded: boolean }): string | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined ? isNeeded : !GUID.test(text))
      this.#add(
        name,
        text === undefined ? 'absent' : shown(text),
        'an id such as 00000000-0000-0000-0000-000000000000',
      );
    return text;
  }

  isOn(name: SettingName, { fallback = false }: { fallback?: boolean } = {}): boolean {
    const text = this.text(name);
    if (text !== undefined && text !== 'on' && text !== 'off') this.#add(name, shown(text), `'on' or 'off'`);
    return text === undefined ? fallback : text === 'on';
  }

  /** Returns the first of `values` if the setting is absent. */
  oneOf<T extends string>(name: SettingName, values: readonly [T, ...T[]]): T {
    const text = this.text(name);
    const found = values.find((value) => value === text);
    if (text !== undefined && found === undefined)
      this.#add(name, shown(text), values.map((value) => `'${value}'`).join(' or '));
    return found ?? values[0];
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
  const names = connectionPartsOf(connectionString);
  const endpoints = services.map((service) => `${service.charAt(0).toUpperCase()}${service.slice(1)}Endpoint`);
  const hasEndpoints = endpoints.every((endpoint) => names.has(endpoint));
  const needed = names.has('SharedAccessSignature')
    ? endpoints
    : ['DefaultEndpointsProtocol', 'AccountName', 'AccountKey', ...(hasEndpoints ? [] : ['EndpointSuffix'])];
  return needed.filter((part) => !names.has(part));
}

/** Returns whether the storage is on this machine. */
export function isLoopback(storage: StorageConfig | undefined): boolean {
  if (storage === undefined) return false;
  if (storage.kind === 'identity') return isLoopbackUri(storage.tableServiceUri);
  if (storage.connectionString.startsWith(DEVELOPMENT_STORAGE)) return true;
  return isLoopbackUri(connectionPartsOf(storage.connectionString).get('TableEndpoint') ?? '');
}
