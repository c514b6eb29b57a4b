import type { Clock } from '../clock.js';
import type { BlobStore } from './blob-store.js';
import type { QueueStore } from './queue-store.js';
import { StorageError, type TableStore } from './table-store.js';

type Call<T> = (signal: AbortSignal) => Promise<T>;

/** For rows that no key leads to, storage looks for up to 5 s before it answers with what it has found so far. */
const SEARCH_MS = 10_000;
/** Blobs that others have written: megabytes to read, and any size to copy. */
const LARGE_READ_MS = 10_000;
const COPY_MS = 120_000;

/** The same store, but every call ends within `ms`, a search in 10 s: at the latest it rejects with the code `timeout`. */
export function boundedTables(store: TableStore, clock: Clock, ms: number): TableStore {
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>, withinMs = ms) =>
    bounded(clock, withinMs, signal, call);
  return {
    commit: (table, partition, operations, signal) =>
      within(signal, (inner) => store.commit(table, partition, operations, inner)),
    read: (table, partition, key, signal) => within(signal, (inner) => store.read(table, partition, key, inner)),
    query: (table, query, signal) =>
      within(signal, (inner) => store.query(table, query, inner), query.anyOf ? Math.max(ms, SEARCH_MS) : ms),
    create: (table, signal) => within(signal, (inner) => store.create(table, inner)),
    drop: (table, signal) => within(signal, (inner) => store.drop(table, inner)),
    list: (prefix, signal) => within(signal, (inner) => store.list(prefix, inner)),
  };
}

export function boundedBlobs(store: BlobStore, clock: Clock, ms: number): BlobStore {
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>) => bounded(clock, ms, signal, call);
  return {
    create: (name, content, options, signal) => within(signal, (inner) => store.create(name, content, options, inner)),
    read: (name, signal) => within(signal, (inner) => store.read(name, inner)),
    readText: (name, maxBytes, signal) =>
      bounded(clock, Math.max(ms, LARGE_READ_MS), signal, (inner) => store.readText(name, maxBytes, inner)),
    copy: (from, to, options, signal) =>
      bounded(clock, Math.max(ms, COPY_MS), signal, (inner) => store.copy(from, to, options, inner)),
    delete: (name, signal) => within(signal, (inner) => store.delete(name, inner)),
    list: (prefix, options, signal) => within(signal, (inner) => store.list(prefix, options, inner)),
  };
}

export function boundedQueue(store: QueueStore, clock: Clock, ms: number): QueueStore {
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>) => bounded(clock, ms, signal, call);
  return {
    send: (text, signal) => within(signal, (inner) => store.send(text, inner)),
    length: (signal) => within(signal, (inner) => store.length(inner)),
  };
}

/**
 * Ends with the call, after `ms`, or when the caller's signal aborts, whatever comes first. The call below is told by
 * its own signal, and nobody waits for it to listen; what it says later is not heard.
 */
function bounded<T>(clock: Clock, ms: number, signal: AbortSignal | undefined, call: Call<T>): Promise<T> {
  if (signal?.aborted) return Promise.reject(aborted());
  return new Promise<T>((resolve, reject) => {
    const below = new AbortController();
    const onAbort = () => giveUp(aborted());
    const cancelTimer = clock.after(ms, () => giveUp(timeout(ms)));
    signal?.addEventListener('abort', onAbort);

    const end = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: StorageError) => {
      end();
      reject(error);
      below.abort(error);
    };
    const answer = (value: T) => {
      end();
      resolve(value);
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    startCall(call, below.signal).then(answer, fail);
  });
}

/** async, so that a call which throws before it returns a promise rejects like any other. */
async function startCall<T>(call: Call<T>, signal: AbortSignal): Promise<T> {
  return call(signal);
}

function timeout(ms: number): StorageError {
  return new StorageError('timeout', `Storage has not answered within ${ms} ms; what was asked may still happen.`);
}

function aborted(): StorageError {
  return new StorageError('aborted', 'The caller has given up; what was asked may still happen.');
}
