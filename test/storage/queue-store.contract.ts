import type { QueueStore, ReceivedMessage } from '../../src/storage/queue-store.js';
import { StorageError } from '../../src/storage/table-store.js';

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

  it('given a queue that does not exist, then it has no messages', async () => {
    expect(await store.length()).toBe(0);
  });

  it.each(['wake', '{"shard":"3","after":"2026"}', '<a> & "b"', 'Zoë 🫀'])(
    'given %p is sent, then the trigger receives it',
    async (text) => {
      await store.send(text);

      expect(await store.length()).toBe(1);
      expect(await receive()).toBe(text);
    },
  );

  it('given several messages at once, then all arrive', async () => {
    const texts = ['1', '2', '3', '4'];

    await Promise.all(texts.map((text) => store.send(text)));

    expect(await store.length()).toBe(4);
    const received = [await receive(), await receive(), await receive(), await receive()];
    expect(received.sort()).toEqual(texts);
  });

  it('given a queue that is created twice, then it exists, and is empty', async () => {
    await store.create();
    await store.create();

    expect(await store.length()).toBe(0);
    expect(await receive()).toBeUndefined();
  });

  it('given a hidden message, then it counts, and the trigger does not receive it yet', async () => {
    await store.send('later', { inMs: 3_600_000 });
    await store.send('now', { inMs: 0 });

    expect(await store.length()).toBe(2);
    expect([await receive(), await receive()]).toEqual(['now', undefined]);
  });

  it('given messages, then up to 32 are received, hidden for the given time, and absent once deleted', async () => {
    for (let n = 0; n < 33; n += 1) await store.send(`${n}`);

    const first = await store.receive(3_600_000);
    const second = await store.receive(3_600_000);

    expect([first.length, second.length, (await store.receive(1000)).length]).toEqual([32, 1, 0]);
    const texts = [...first, ...second].map(({ text }) => Number(Buffer.from(text, 'base64').toString()));
    expect(texts.sort((a, b) => a - b)).toEqual(Array.from({ length: 33 }, (_, n) => n));
    await Promise.all(first.map((message) => store.delete(message)));
    expect(await store.length()).toBe(1);
    await expect(store.delete({ ...(second[0] as ReceivedMessage), receipt: 'another' })).rejects.toThrow(StorageError);
  });

  it('given a visible message, then the time of the first is known; given no message, then there is no time', async () => {
    expect([await store.oldestAt(), await store.receive(1000)]).toEqual([undefined, []]);
    await store.send('hidden', { inMs: 3_600_000 });
    expect(await store.oldestAt()).toBeUndefined();

    await store.send('visible');

    expect(await store.oldestAt()).toBeInstanceOf(Date);
  });

  it('given a message for a time beyond all limits, then it is sent', async () => {
    await store.send('some day', { inMs: 365 * 24 * 3_600_000 });

    expect(await store.length()).toBe(1);
  });
}
