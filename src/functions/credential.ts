import type { TokenCredential } from '@azure/identity';
import type { IdentityConfig } from '../config-reader.js';

/** Returns a credential that loads its library, 100 ms of a cold start, only when the first token is needed. */
export function createCredential({ credential, clientId }: IdentityConfig): TokenCredential {
  let made: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      made ??= makeCredential();
      return (await made).getToken(scopes, options);
    },
  };

  async function makeCredential(): Promise<TokenCredential> {
    const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
    if (credential === 'default') return new DefaultAzureCredential();
    return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
  }
}
