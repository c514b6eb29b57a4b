import { boundedBlobs, boundedQueue, boundedTables, CallLimit } from '../../src/storage/bounded.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';
import { type Fault, faultyBlobs, faultyQueue, faultyTables } from './faults.js';
import { createMemoryQueueStore } from './memory-queue-store.js';
import { createTestClock } from './test-clock.js';

const MS = 3_000;
const limit = () => new CallLimit(MS);

/** Every method of the three stores, over memory, with the same fault in each call. */
function callsWith(fault: Fault) {
  const clock = createTestClock();
  const tables = boundedTables(
    faultyTables(createMemoryTableStore({ clock }), () => fault),
    clock,
    limit(),
  );
  const blobs = boundedBlobs(
    faultyBlobs(createMemoryBlobStore({ clock }), () => fault),
    clock,
    limit(),
  );
  const queue = boundedQueue(
    faultyQueue(createMemoryQueueStore({ clock }), () => fault),
    clock,
    limit(),
  );
  const calls: (() => Promise<unknown>)[] = [
    () => tables.commit('rows', 'p', [{ kind: 'delete', key: 'k' }]),
    () => tables.read('rows', 'p', 'k'),
    () => tables.query('rows', { limit: 1 }),
    () => tables.create('rows'),
    () => tables.drop('rows'),
    () => tables.list(''),
    () => blobs.prepare(),
    () => blobs.create('b', '{}'),
    () => blobs.read('b'),
    () => blobs.delete('b'),
    () => queue.send('wake'),
    () => queue.length(),
    () => queue.create(),
  ];
  return { clock, calls, listBlobs: () => blobs.list('', { limit: 1000 }) };
}

/** A store whose reads show the signal that they were given, and wait for `answer`. */
function heldReads() {
  const signals: (AbortSignal | undefined)[] = [];
  const answer = Promise.withResolvers<never>();
  const store = {
    read(_table: string, _partition: string, _key: string, signal?: AbortSignal) {
      signals.push(signal);
      return answer.promise;
    },
  } as Partial<TableStore> as TableStore;
  return { store, signals, answer };
}

describe('a call to storage that never answers', () => {
  it('given the time is not over, then the call still waits', async () => {
    const { clock, calls } = callsWith('never');
    const ended = jest.fn();
    for (const call of calls)
      call()
        .finally(ended)
        .catch(() => undefined);

    clock.advance(MS - 1);
    await new Promise(setImmediate);

    expect(ended).not.toHaveBeenCalled();
    expect(clock.timers).toBe(calls.length);
  });

  it('given the time is over, then every call rejects as a timeout', async () => {
    const { clock, calls } = callsWith('never');
    const answers = calls.map((call) => call());

    clock.advance(MS);

    for (const answer of answers) await expect(answer).rejects.toMatchObject({ name: 'StorageError', code: 'timeout' });
    expect(clock.timers).toBe(0);
  });

  it('given a search for rows without their keys, then it has 10 s', async () => {
    const clock = createTestClock();
    const tables = boundedTables(
      faultyTables(createMemoryTableStore({ clock }), () => 'never'),
      clock,
      limit(),
    );
    const ended = jest.fn();
    const search = tables.query('rows', { anyOf: [{ property: 'state', is: 'ne', value: 'settled' }], limit: 1 });
    search.finally(ended).catch(() => undefined);

    clock.advance(9999);
    await new Promise(setImmediate);
    expect(ended).not.toHaveBeenCalled();
    clock.advance(1);

    await expect(search).rejects.toMatchObject({ code: 'timeout' });
  });

  it('given a list of blobs, then it has 30 s', async () => {
    const { clock, listBlobs } = callsWith('never');
    const ended = jest.fn();
    const list = listBlobs();
    list.finally(ended).catch(() => undefined);

    clock.advance(29_999);
    await new Promise(setImmediate);
    expect(ended).not.toHaveBeenCalled();
    clock.advance(1);

    await expect(list).rejects.toMatchObject({ code: 'timeout' });
  });

  it('given the time is over, then the signal of the call aborts, and its later answer is ignored', async () => {
    const clock = createTestClock();
    const { store, signals, answer } = heldReads();
    const read = boundedTables(store, clock, limit()).read('rows', 'p', 'k');

    clock.advance(MS);
    await expect(read).rejects.toMatchObject({ code: 'timeout' });
    answer.reject(new StorageError('late', 'Nobody listens.'));
    await new Promise(setImmediate);

    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('a limit that is shortened', () => {
  it('given a call under way and a later one, then each ends within the new limit', async () => {
    const clock = createTestClock();
    const shortened = limit();
    const tables = boundedTables(heldReads().store, clock, shortened);
    const ended: string[] = [];
    const read = (name: string) => void tables.read('rows', 'p', name).catch(() => ended.push(name));

    read('under way');
    clock.advance(MS - 500);
    shortened.shorten(1000);
    read('later');
    clock.advance(999);
    await new Promise(setImmediate);
    expect(ended).toEqual([]);
    clock.advance(1);
    await new Promise(setImmediate);

    expect(ended).toEqual(['under way', 'later']);
    expect(clock.timers).toBe(0);
  });
});

describe('a call to storage that answers', () => {
  it('given a value, then the call returns it, and no timer is left', async () => {
    const { clock, calls } = callsWith('ok');

    for (const call of calls) await call();

    expect(clock.timers).toBe(0);
  });

  it('given an error, then the call rejects with it, and no timer is left', async () => {
    const { clock, calls } = callsWith('fail-before');

    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'fault' });

    expect(clock.timers).toBe(0);
  });

  it('given an error before the promise is returned, then the call rejects with it', async () => {
    const clock = createTestClock();
    const store = {
      read: () => {
        throw new TypeError('at once');
      },
    } as Partial<TableStore> as TableStore;

    await expect(boundedTables(store, clock, limit()).read('rows', 'p', 'k')).rejects.toThrow('at once');
    expect(clock.timers).toBe(0);
  });
});
