import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { Config } from '../config.js';

/**
 * The name of the dead letter that holds `text` and was written after `since`, for an event that is not in the ledger.
 * Undefined where there is none yet, or the storage is one that is reached by an identity.
 */
export async function findDeadLetter(
  storage: Config['storage'],
  text: string,
  since: Date,
): Promise<string | undefined> {
  if (storage.kind !== 'connection-string') return undefined;
  const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient('dead-letters');
  try {
    return await search(container, text, since);
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return undefined; // Nothing has ever failed.
    throw error;
  }
}

async function search(container: ContainerClient, text: string, since: Date): Promise<string | undefined> {
  for await (const { name, properties } of container.listBlobsFlat({ prefix: 'pending/invalid/' })) {
    if (properties.lastModified < since) continue;
    const content = await container.getBlobClient(name).downloadToBuffer();
    if (content.includes(text)) return name;
  }
  return undefined;
}
