import { createFakeClock } from '../../src/testing/index.js';
import { createMemoryQueueStore } from './memory-queue-store.js';
import { queueStoreContract } from './queue-store.contract.js';

const clock = createFakeClock();

describe('a queue in memory', () =>
  queueStoreContract(() => {
    const store = createMemoryQueueStore({ clock });
    return { store, receive: async () => store.take() };
  }));

describe('a queue in memory, beyond the contract', () => {
  it('given messages, then inspect shows them at once, and take removes the first', async () => {
    const store = createMemoryQueueStore({ clock });
    await store.send('1');
    await store.send('2');

    expect([store.inspect(), store.take(), store.inspect()]).toEqual([['1', '2'], '1', ['2']]);
  });

  it('given a hidden message, then `hidden` shows it until it becomes visible', async () => {
    const store = createMemoryQueueStore({ clock });
    await store.send('later', { inMs: 1500 });

    clock.advance(1999);
    expect([store.inspect(), store.hidden(), store.take()]).toEqual([[], [{ text: 'later', inMs: 1 }], undefined]);
    clock.advance(1);

    expect([store.inspect(), store.hidden(), store.take()]).toEqual([['later'], [], 'later']);
  });
});
