import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { Config } from '../config.js';

/**
 * Returns the name of the dead letter that holds `text` and was written after `since`, for an event without a record.
 * Returns undefined if no such dead letter exists yet, or if storage needs an identity.
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
    if (error instanceof RestError && error.statusCode === 404) return undefined; // there has never been a dead letter
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
