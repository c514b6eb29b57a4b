import { createMemoryQueueStore } from '../../src/storage/memory-queue-store.js';
import { queueStoreContract } from './queue-store.contract.js';

describe('a queue in memory', () =>
  queueStoreContract(() => {
    const store = createMemoryQueueStore();
    return { store, receive: async () => store.take() };
  }));

describe('a queue in memory, beyond the contract', () => {
  it('given messages, then inspect shows them at once, and take removes the first', async () => {
    const store = createMemoryQueueStore();
    await store.send('1');
    await store.send('2');

    expect([store.inspect(), store.take(), store.inspect()]).toEqual([['1', '2'], '1', ['2']]);
  });
});
