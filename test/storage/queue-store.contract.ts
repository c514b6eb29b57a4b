import type { QueueStore } from '../../src/storage/queue-store.js';

/**
 * The contract of a QueueStore. `make` returns a queue that does not exist yet, and `receive`, which reads it as the
 * trigger does.
 */
export function queueStoreContract(
  make: () => { store: QueueStore; receive: () => Promise<string | undefined> },
): void {
  let { store, receive } = make();

  beforeEach(() => {
    ({ store, receive } = make());
  });

  it('given a queue that is not there yet, then it has no messages', async () => {
    expect(await store.length()).toBe(0);
  });

  it.each(['wake', '{"shard":"3","after":"2026"}', '<a> & "b"', 'Zoë 🫀'])(
    'given %p is sent, then the trigger sees it',
    async (text) => {
      await store.send(text);

      expect(await store.length()).toBe(1);
      expect(await receive()).toBe(text);
    },
  );

  it('given several are sent at the same time, then all arrive', async () => {
    const texts = ['1', '2', '3', '4'];

    await Promise.all(texts.map((text) => store.send(text)));

    expect(await store.length()).toBe(4);
    const received = [await receive(), await receive(), await receive(), await receive()];
    expect(received.sort()).toEqual(texts);
  });

  it('given a queue that is created twice, then it is there, and empty', async () => {
    await store.create();
    await store.create();

    expect(await store.length()).toBe(0);
    expect(await receive()).toBeUndefined();
  });

  it('given a message for later, then it counts, and the trigger does not see it yet', async () => {
    await store.send('later', { inMs: 3_600_000 });
    await store.send('now', { inMs: 0 });

    expect(await store.length()).toBe(2);
    expect([await receive(), await receive()]).toEqual(['now', undefined]);
  });

  it('given a message for a time beyond all limits, then it is taken', async () => {
    await store.send('some day', { inMs: 365 * 24 * 3_600_000 });

    expect(await store.length()).toBe(1);
  });
}
