import type { QueueClient } from '@azure/storage-queue';
import { abortedBy, createCall, reasonOf, undefinedIf } from './azure-errors.js';
import { hiddenForS, type QueueStore } from './queue-store.js';
import type { StorageConnection } from './storage-connection.js';

const MAX_RECEIVED = 32;

/** Returns a storage queue. The SDK repeats no request, and loads at the first call. */
export function createAzureQueueStore(connection: StorageConnection<'queue'>, queue: string): QueueStore {
  const call = createCall(() => openQueue(connection, queue));
  return {
    send: (text, { inMs } = {}, signal) =>
      call('send a message', (client) => sendMessage(client, text, { hiddenS: hiddenForS(inMs), signal })),
    length: (signal) => call('count the messages', (client) => lengthOf(client, signal)),
    oldestAt: (signal) => call('peek at a message', (client) => oldestIn(client, signal)),
    receive: (hiddenForMs, signal) =>
      call('receive messages', (client) => receiveMessages(client, { hiddenS: hiddenForS(hiddenForMs), signal })),
    delete: ({ id, receipt }, signal) =>
      call('delete a message', async (client) => void (await client.deleteMessage(id, receipt, abortedBy(signal)))),
    // Storage answers 204 if the queue exists, so the request does not fail.
    create: (signal) => call('create a queue', async (client) => void (await client.create(abortedBy(signal)))),
  };
}

/** `hiddenS`: how long a message stays hidden. */
type Hidden = { readonly hiddenS: number; readonly signal: AbortSignal | undefined };

async function sendMessage(client: QueueClient, text: string, { hiddenS, signal }: Hidden): Promise<void> {
  const message = Buffer.from(text).toString('base64');
  const options = { visibilityTimeout: hiddenS, ...abortedBy(signal) };
  await client.sendMessage(message, options).catch(async (error: unknown) => {
    if (!isQueueAbsent(error)) throw error;
    await client.create(abortedBy(signal));
    await client.sendMessage(message, options);
  });
}

async function lengthOf(client: QueueClient, signal: AbortSignal | undefined): Promise<number> {
  const properties = await client.getProperties(abortedBy(signal)).catch(undefinedIf(isQueueAbsent));
  return properties?.approximateMessagesCount ?? 0;
}

async function oldestIn(client: QueueClient, signal: AbortSignal | undefined): Promise<Date | undefined> {
  const peeked = await client.peekMessages(abortedBy(signal)).catch(undefinedIf(isQueueAbsent));
  return peeked?.peekedMessageItems[0]?.insertedOn;
}

async function receiveMessages(client: QueueClient, { hiddenS, signal }: Hidden) {
  const options = { numberOfMessages: MAX_RECEIVED, visibilityTimeout: hiddenS, ...abortedBy(signal) };
  const received = await client.receiveMessages(options).catch(undefinedIf(isQueueAbsent));
  return (received?.receivedMessageItems ?? []).map(({ messageId, popReceipt, messageText }) => ({
    id: messageId,
    receipt: popReceipt,
    text: messageText,
  }));
}

function isQueueAbsent(error: unknown): boolean {
  return reasonOf(error) === 'QueueNotFound';
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
