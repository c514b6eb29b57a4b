import { DefaultAzureCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { QueueServiceClient, type StoragePipelineOptions } from '@azure/storage-queue';
import { StartError } from './start-error.js';

export type Env = Readonly<Record<string, string | undefined>>;

const OPTIONS: StoragePipelineOptions = { retryOptions: { maxTries: 2, tryTimeoutInMs: 10_000 } };

/**
 * Returns the queues of a connection, by the convention of Functions: a setting with a connection string, or settings
 * that begin with the connection's name and name a service and an identity. The prefix `AzureWebJobs` is accepted.
 * @throws StartError where no setting has that name.
 */
export function connectQueues(name: string, env: Env): QueueServiceClient {
  for (const setting of [`AzureWebJobs${name}`, name]) {
    const connectionString = env[setting];
    if (connectionString) return QueueServiceClient.fromConnectionString(connectionString, OPTIONS);
    const account = env[`${setting}__accountName`];
    const uri = env[`${setting}__queueServiceUri`] ?? (account && `https://${account}.queue.core.windows.net`);
    if (uri) return new QueueServiceClient(uri, credentialOf(setting, env), OPTIONS);
  }
  throw new StartError(`A queue trigger uses the connection '${name}', but no setting has that name. Set it.`);
}

function credentialOf(setting: string, env: Env): TokenCredential {
  const clientId = env[`${setting}__clientId`];
  if (env[`${setting}__credential`]?.toLowerCase() !== 'managedidentity') return new DefaultAzureCredential();
  return clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
}
