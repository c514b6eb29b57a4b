import type { TokenCredential } from '@azure/identity';

export type Service = 'table' | 'blob' | 'queue';

/** The way to the services `S` of a storage account: a connection string with a key or SAS, or URLs and an identity. */
export type StorageConnection<S extends Service> =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | (Readonly<Record<`${S}ServiceUri`, string>> & { readonly kind: 'identity'; readonly credential: TokenCredential });

/** Returns whether the connection string uses plain http, as Azurite's does. Tokens are never sent by http. */
export function asksForHttp(connectionString: string): boolean {
  return /=\s*http(:|;|$)|UseDevelopmentStorage\s*=\s*true/i.test(connectionString);
}
