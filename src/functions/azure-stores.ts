import type { Config } from '../config.js';
import type { StorageConfig } from '../config-reader.js';
import type { EventQueues, StoragePorts } from '../pipeline/create-stores.js';
import { createAzureBlobStore } from '../storage/azure-blob-store.js';
import { createAzureQueueStore } from '../storage/azure-queue-store.js';
import { createAzureTableStore } from '../storage/azure-table-store.js';
import type { Service, StorageConnection } from '../storage/storage-connection.js';
import { createCredential } from './credential.js';

/** Returns the storage that the settings name. Nothing is sent until the first call. */
export function createAzureStores({ storage, workflowStorage, undeliveredStorage, ingress }: Config): StoragePorts {
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
    eventQueues: ingress.kind === 'queue' ? createEventQueues(connectionOf(ingress.storage)) : undefined,
  };
}

function createEventQueues(connection: StorageConnection<'queue'>): EventQueues {
  return {
    events: createAzureQueueStore(connection, 'events'),
    poison: createAzureQueueStore(connection, 'events-poison'),
  };
}

function connectionOf<S extends Service>(storage: StorageConfig<S>): StorageConnection<S> {
  if (storage.kind === 'connection-string') return storage;
  return { ...storage, credential: createCredential(storage) };
}
