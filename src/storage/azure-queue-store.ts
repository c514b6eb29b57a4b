import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { abortedBy, reasonOf, toStorageError } from './azure-errors.js';
import { hiddenForS, type QueueStore } from './queue-store.js';
import type { StorageConnection } from './storage-connection.js';

/** Returns a storage queue. The SDK's own retries are off. */
export function createAzureQueueStore(connection: StorageConnection<'queue'>, queue: string): QueueStore {
  const client = queueClient(connection, queue);

  return {
    async send(text, { inMs } = {}, signal) {
      const message = Buffer.from(text).toString('base64');
      const options = { visibilityTimeout: hiddenForS(inMs), ...abortedBy(signal) };
      try {
        await client.sendMessage(message, options).catch(async (error: unknown) => {
          if (reasonOf(error) !== 'QueueNotFound') throw error;
          await client.create(abortedBy(signal));
          await client.sendMessage(message, options);
        });
      } catch (error) {
        throw toStorageError(error, 'send a message');
      }
    },

    async length(signal) {
      try {
        const { approximateMessagesCount } = await client.getProperties(abortedBy(signal));
        return approximateMessagesCount ?? 0;
      } catch (error) {
        if (reasonOf(error) === 'QueueNotFound') return 0;
        throw toStorageError(error, 'count the messages');
      }
    },

    // Storage answers 204 if the queue exists, so the request does not fail.
    async create(signal) {
      try {
        await client.create(abortedBy(signal));
      } catch (error) {
        throw toStorageError(error, 'create a queue');
      }
    },
  };
}

function queueClient(connection: StorageConnection<'queue'>, queue: string): QueueClient {
  const options = { retryOptions: { maxTries: 1 } };
  const service =
    connection.kind === 'identity'
      ? new QueueServiceClient(connection.queueServiceUri, connection.credential, options)
      : QueueServiceClient.fromConnectionString(connection.connectionString, options);
  return service.getQueueClient(queue);
}
