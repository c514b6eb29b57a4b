import { type Clock, endEarly, onAbort } from '../clock.js';
import type { BlobStore } from './blob-store.js';
import type { QueueStore } from './queue-store.js';
import { StorageError, type TableStore } from './table-store.js';

type Call<T> = (signal: AbortSignal) => Promise<T>;

/** Storage searches rows without a key for up to 5 s before it answers with the rows found so far. */
const SEARCH_MS = 10_000;
/** Blobs that others have written have megabytes to read, and any size to copy. */
const LARGE_READ_MS = 10_000;
const COPY_MS = 120_000;

/** The time limit of each try of a storage call. The end of the process shortens the limit. */
export class TryLimit {
  ms: number;
  /** If true, large calls get no more time than others. */
  isShort = false;
  readonly #underWay = new Set<() => void>();

  constructor(ms: number) {
    this.ms = ms;
  }

  /** From now on a try takes up to `ms`. A try that is under way takes up to `ms` more. */
  shorten(ms: number): void {
    this.ms = Math.min(this.ms, ms);
    this.isShort = true;
    for (const restart of this.#underWay) restart();
  }

  /** Calls `onShorten` until the function that it returns is called. */
  watch(onShorten: () => void): () => void {
    this.#underWay.add(onShorten);
    return () => void this.#underWay.delete(onShorten);
  }
}

type Limit = { readonly clock: Clock; readonly limit: TryLimit; readonly minMs?: number };

/** Returns a store whose calls end within the limit, a search within 10 s. A late call rejects with the code `timeout`. */
export function boundedTables(store: TableStore, clock: Clock, ms: number | TryLimit): TableStore {
  const limit = limitOf(ms);
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>, minMs = 0) =>
    bounded({ clock, limit, minMs }, signal, call);
  return {
    commit: (table, partition, operations, signal) =>
      within(signal, (inner) => store.commit(table, partition, operations, inner)),
    read: (table, partition, key, signal) => within(signal, (inner) => store.read(table, partition, key, inner)),
    query: (table, query, signal) =>
      within(signal, (inner) => store.query(table, query, inner), query.anyOf ? SEARCH_MS : 0),
    create: (table, signal) => within(signal, (inner) => store.create(table, inner)),
    drop: (table, signal) => within(signal, (inner) => store.drop(table, inner)),
    list: (prefix, signal) => within(signal, (inner) => store.list(prefix, inner)),
  };
}

/** Returns a store whose calls end within the limit, a read of others' blobs within 10 s, a copy within 120 s. */
export function boundedBlobs(store: BlobStore, clock: Clock, ms: number | TryLimit): BlobStore {
  const limit = limitOf(ms);
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>, minMs = 0) =>
    bounded({ clock, limit, minMs }, signal, call);
  return {
    prepare: (signal) => within(signal, (inner) => store.prepare(inner)),
    create: (name, content, options, signal) => within(signal, (inner) => store.create(name, content, options, inner)),
    read: (name, signal) => within(signal, (inner) => store.read(name, inner)),
    readText: (name, maxBytes, signal) =>
      within(signal, (inner) => store.readText(name, maxBytes, inner), LARGE_READ_MS),
    copy: (from, to, options, signal) => within(signal, (inner) => store.copy(from, to, options, inner), COPY_MS),
    delete: (name, signal) => within(signal, (inner) => store.delete(name, inner)),
    list: (prefix, options, signal) => within(signal, (inner) => store.list(prefix, options, inner)),
  };
}

/** Returns a queue whose calls end within the limit. */
export function boundedQueue(store: QueueStore, clock: Clock, ms: number | TryLimit): QueueStore {
  const limit = limitOf(ms);
  const within = <T>(signal: AbortSignal | undefined, call: Call<T>) => bounded({ clock, limit }, signal, call);
  return {
    send: (text, options, signal) => within(signal, (inner) => store.send(text, options, inner)),
    length: (signal) => within(signal, (inner) => store.length(inner)),
    create: (signal) => within(signal, (inner) => store.create(inner)),
  };
}

function limitOf(ms: number | TryLimit): TryLimit {
  return typeof ms === 'number' ? new TryLimit(ms) : ms;
}

/**
 * Ends with the call, at its limit, or when the caller's signal aborts, whichever comes first. The call has a signal of
 * its own, which aborts at an early end. A later answer is ignored.
 */
function bounded<T>({ clock, limit, minMs = 0 }: Limit, signal: AbortSignal | undefined, call: Call<T>): Promise<T> {
  if (signal?.aborted) return Promise.reject(aborted());
  return endEarly(call, [
    onAbort(signal, () => Promise.reject(aborted())),
    (end) => {
      const startTimer = (ms: number) => clock.after(ms, () => end(Promise.reject(timeout(ms))));
      let cancelTimer = startTimer(limit.isShort ? limit.ms : Math.max(limit.ms, minMs));
      const unwatch = limit.watch(() => {
        cancelTimer();
        cancelTimer = startTimer(limit.ms);
      });
      return () => {
        cancelTimer();
        unwatch();
      };
    },
  ]);
}

function timeout(ms: number): StorageError {
  return new StorageError('timeout', `Storage has not answered within ${ms} ms; the request may still take effect.`);
}

function aborted(): StorageError {
  return new StorageError('aborted', 'The caller aborted the request; it may still take effect.');
}
