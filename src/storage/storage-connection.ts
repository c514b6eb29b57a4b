import type { TokenCredential } from '@azure/identity';

/** How to reach a storage account: with a key or SAS that the string holds, or as somebody. */
export type StorageConnection =
  | { kind: 'connection-string'; connectionString: string }
  | {
      kind: 'identity';
      tableServiceUri: string;
      blobServiceUri: string;
      queueServiceUri: string;
      credential: TokenCredential;
    };

/** Whether the string itself names plain http, as Azurite's does. A token is never sent that way. */
export function asksForHttp(connectionString: string): boolean {
  return /=\s*http(:|;|$)|UseDevelopmentStorage\s*=\s*true/i.test(connectionString);
}
