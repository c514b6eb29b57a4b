import type { TokenCredential } from '@azure/identity';
import type { IdentityConfig } from '../config.js';

/** The library costs a cold start 100 ms and more, so it is loaded for the first token: with a connection string, never. */
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
