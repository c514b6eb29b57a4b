import type { TokenCredential } from '@azure/identity';

export type Service = 'table' | 'blob' | 'queue';

/** How to reach the services `S` of a storage account: with a key or SAS that the string holds, or as somebody. */
export type StorageConnection<S extends Service> =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | (Readonly<Record<`${S}ServiceUri`, string>> & { readonly kind: 'identity'; readonly credential: TokenCredential });

/** Whether the string itself names plain http, as Azurite's does. A token is never sent that way. */
export function asksForHttp(connectionString: string): boolean {
  return /=\s*http(:|;|$)|UseDevelopmentStorage\s*=\s*true/i.test(connectionString);
}
