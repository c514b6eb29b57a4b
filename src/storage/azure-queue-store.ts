import type { QueueClient } from '@azure/storage-queue';
import { abortedBy, reasonOf, toStorageError } from './azure-errors.js';
import { hiddenForS, type QueueStore } from './queue-store.js';
import type { StorageConnection } from './storage-connection.js';

const MAX_RECEIVED = 32;

/** Returns a storage queue. The SDK repeats no request, and loads at the first call. */
export function createAzureQueueStore(connection: StorageConnection<'queue'>, queue: string): QueueStore {
  let opened: Promise<QueueClient> | undefined;
  const open = (): Promise<QueueClient> => {
    opened ??= openQueue(connection, queue);
    return opened;
  };

  return {
    async send(text, { inMs } = {}, signal) {
      const message = Buffer.from(text).toString('base64');
      const options = { visibilityTimeout: hiddenForS(inMs), ...abortedBy(signal) };
      try {
        const client = await open();
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
        const { approximateMessagesCount } = await (await open()).getProperties(abortedBy(signal));
        return approximateMessagesCount ?? 0;
      } catch (error) {
        if (reasonOf(error) === 'QueueNotFound') return 0;
        throw toStorageError(error, 'count the messages');
      }
    },

    async oldestAt(signal) {
      try {
        const { peekedMessageItems } = await (await open()).peekMessages(abortedBy(signal));
        return peekedMessageItems[0]?.insertedOn;
      } catch (error) {
        if (reasonOf(error) === 'QueueNotFound') return undefined;
        throw toStorageError(error, 'peek at a message');
      }
    },

    async receive(hiddenForMs, signal) {
      const options = { numberOfMessages: MAX_RECEIVED, visibilityTimeout: hiddenForS(hiddenForMs) };
      try {
        const { receivedMessageItems } = await (await open()).receiveMessages({ ...options, ...abortedBy(signal) });
        return receivedMessageItems.map(({ messageId, popReceipt, messageText }) => ({
          id: messageId,
          receipt: popReceipt,
          text: messageText,
        }));
      } catch (error) {
        if (reasonOf(error) === 'QueueNotFound') return [];
        throw toStorageError(error, 'receive messages');
      }
    },

    async delete({ id, receipt }, signal) {
      try {
        await (await open()).deleteMessage(id, receipt, abortedBy(signal));
      } catch (error) {
        throw toStorageError(error, 'delete a message');
      }
    },

    // Storage answers 204 if the queue exists, so the request does not fail.
    async create(signal) {
      try {
        const client = await open();
        await client.create(abortedBy(signal));
      } catch (error) {
        throw toStorageError(error, 'create a queue');
      }
    },
  };
}

async function openQueue(connection: StorageConnection<'queue'>, queue: string): Promise<QueueClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  const options = { retryOptions: { maxTries: 1 } };
  const service =
    connection.kind === 'identity'
      ? new QueueServiceClient(connection.queueServiceUri, connection.credential, options)
      : QueueServiceClient.fromConnectionString(connection.connectionString, options);
  return service.getQueueClient(queue);
}
