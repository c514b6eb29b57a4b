import type { Config, StorageConfig } from '../config.js';
import { createAzureBlobStore } from '../storage/azure-blob-store.js';
import { createAzureQueueStore } from '../storage/azure-queue-store.js';
import { createAzureTableStore } from '../storage/azure-table-store.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { QueueStore } from '../storage/queue-store.js';
import type { Service, StorageConnection } from '../storage/storage-connection.js';
import type { TableStore } from '../storage/table-store.js';
import { createCredential } from './credential.js';

/** All the storage that the app uses. */
export type AppStores = {
  readonly tables: TableStore;
  /** For the workflows' own tables and the watermarks; they are in `tables` where this is undefined. */
  readonly workflowTables: TableStore | undefined;
  readonly deadLetters: BlobStore;
  /** Where Event Grid puts what it could not deliver. */
  readonly undelivered: BlobStore;
  readonly due: QueueStore;
  readonly dueLong: QueueStore;
};

/** The stores that the settings name. Nothing is sent until the first call. */
export function createAzureStores({ storage, workflowStorage, undeliveredStorage }: Config): AppStores {
  const connection = connectionOf(storage);
  return {
    tables: createAzureTableStore(connection),
    workflowTables: workflowStorage && createAzureTableStore(connectionOf(workflowStorage)),
    deadLetters: createAzureBlobStore(connection, 'dead-letters'),
    undelivered: createAzureBlobStore(
      undeliveredStorage ? connectionOf(undeliveredStorage) : connection,
      'undelivered',
    ),
    due: createAzureQueueStore(connection, 'due'),
    dueLong: createAzureQueueStore(connection, 'due-long'),
  };
}

function connectionOf<S extends Service>(storage: StorageConfig<S>): StorageConnection<S> {
  if (storage.kind === 'connection-string') return storage;
  return { ...storage, credential: createCredential(storage) };
}
