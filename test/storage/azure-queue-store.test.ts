import { QueueServiceClient } from '@azure/storage-queue';
import { createAzureQueueStore } from '../../src/storage/azure-queue-store.js';
import { testConnection } from '../azurite/connection.js';
import { queueStoreContract } from './queue-store.contract.js';
import { useStorageServer } from './storage-server.js';

describe('a queue on Azurite', () =>
  queueStoreContract(() => {
    const queue = crypto.randomUUID();
    const client = QueueServiceClient.fromConnectionString(testConnection()).getQueueClient(queue);
    return {
      store: createAzureQueueStore({ kind: 'connection-string', connectionString: testConnection() }, queue),
      async receive() {
        const [message] = (await client.receiveMessages()).receivedMessageItems;
        return message && Buffer.from(message.messageText, 'base64').toString();
      },
    };
  }));

describe('a queue whose storage fails', () => {
  const server = useStorageServer();

  it.each([
    { status: 500, reason: 'InternalError', code: 'http-500', isRejected: false },
    { status: 503, reason: 'ServerBusy', code: 'http-503', isRejected: false },
    { status: 403, reason: 'AuthorizationFailure', code: 'forbidden', isRejected: false },
    { status: 413, reason: 'RequestBodyTooLarge', code: 'http-413', isRejected: true },
  ])(
    'given $status $reason, then the error is $code after one request, and has nothing of the message',
    async ({ status, reason, code, isRejected }) => {
      server.answerWith((response) => response.writeHead(status, { 'x-ms-error-code': reason }).end());
      const store = createAzureQueueStore(server.connection, 'due');

      for (const [index, call] of [() => store.send('secret'), () => store.length()].entries()) {
        const error = await call().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'StorageError', code, isRejected });
        expect((error as Error).message).toContain(reason);
        expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|127\.0\.0\.1/);
        expect(server.requests).toHaveLength(index + 1);
      }
    },
  );

  it('given a signal that has aborted, then nothing is sent', async () => {
    const store = createAzureQueueStore(server.connection, 'due');
    const signal = AbortSignal.abort();

    for (const call of [() => store.send('wake', {}, signal), () => store.length(signal), () => store.create(signal)])
      await expect(call()).rejects.toMatchObject({ name: 'StorageError', code: 'aborted' });

    expect(server.requests).toEqual([]);
  });

  it('given no server at the address, then the error is unreachable', async () => {
    const store = createAzureQueueStore(server.connection, 'due');
    await server.close();

    await expect(store.send('wake')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(store.length()).rejects.toMatchObject({ code: 'unreachable' });
  });
});
