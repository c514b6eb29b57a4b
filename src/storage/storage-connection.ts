import { createSecretKey, type KeyObject } from 'node:crypto';
import type { TokenCredential } from '@azure/identity';

export type Service = 'table' | 'blob' | 'queue';

/** The way to the services `S` of a storage account: a connection string with a key or SAS, or URLs and an identity. */
export type StorageConnection<S extends Service> =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | (Readonly<Record<`${S}ServiceUri`, string>> & { readonly kind: 'identity'; readonly credential: TokenCredential });

/** The services that the app calls without an SDK. */
export type SignedService = Extract<Service, 'table' | 'blob'>;

/** A service of an account. `sas` is a part of each URL; '' if `shared` or a token authenticates requests. */
export type Account = {
  /** Without a slash at its end. */
  readonly url: string;
  readonly sas: string;
  /** The key is made once: an HMAC takes six times as long if the key is a Buffer. */
  readonly shared?: { readonly name: string; readonly key: KeyObject };
};

/** Azurite on its usual ports. Microsoft publishes the key. */
const DEVELOPMENT_STORAGE =
  'AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1';
const ENDPOINTS = { blob: 'BlobEndpoint', table: 'TableEndpoint' };

/** Returns a service of a connection string whose parts the settings have checked. */
export function accountOf(connectionString: string, service: SignedService): Account {
  const isDevelopment = /UseDevelopmentStorage\s*=\s*true/i.test(connectionString);
  const parts = connectionPartsOf(isDevelopment ? DEVELOPMENT_STORAGE : connectionString);
  const part = (name: string) => parts.get(name) ?? '';
  const name = part('AccountName');
  const url =
    parts.get(ENDPOINTS[service]) ??
    `${part('DefaultEndpointsProtocol')}://${name}.${service}.${part('EndpointSuffix')}`;
  const account = { url: url.replace(/\/$/, ''), sas: '' };
  const key = parts.get('AccountKey');
  if (key !== undefined) return { ...account, shared: { name, key: createSecretKey(key, 'base64') } };
  return { ...account, sas: part('SharedAccessSignature').replace(/^\?/, '') };
}

/** Returns the parts of a connection string that have a value. */
export function connectionPartsOf(connectionString: string): Map<string, string> {
  const parts = connectionString.split(';').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
  });
  return new Map(parts.filter(([name, value]) => name !== '' && value !== ''));
}
