import { type Clock, endEarly } from '../clock.js';
import type { BlobStore } from './blob-store.js';
import type { QueueStore } from './queue-store.js';
import { StorageError, type TableStore } from './table-store.js';

type Call<T> = (signal: AbortSignal) => Promise<T>;

/** A search without a key: storage searches for up to 5 s before it answers with the rows found so far. */
const SEARCH_MS = 10_000;
/** A read of a blob that others have written, which may have megabytes; and a copy of a blob of any size. */
const LARGE_READ_MS = 10_000;
const COPY_MS = 120_000;
/** A list of blobs takes seconds if there are many, such as 100,000 in Azurite. No event waits for a list. */
const LIST_MS = 30_000;

/** The time limit of each call to storage. The end of the process shortens the limit. */
export class CallLimit {
  #ms: number;
  /** If true, large calls get no more time than others. */
  #isShort = false;
  readonly #underWay = new Set<() => void>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** From now on a call takes up to `ms`. A call that is under way takes up to `ms` more. */
  shorten(ms: number): void {
    this.#ms = Math.min(this.#ms, ms);
    this.#isShort = true;
    for (const restart of this.#underWay) restart();
  }

  /**
   * Ends with the call, or at the limit with a StorageError `timeout`; then the signal aborts. A large call has at least
   * `minMs`, until `shorten` is called.
   */
  within<T>(clock: Clock, call: Call<T>, minMs: number): Promise<T> {
    return endEarly(call, [
      (end) => {
        const startTimer = (ms: number) => clock.after(ms, () => end(Promise.reject(timeout(ms))));
        let cancelTimer = startTimer(this.#isShort ? this.#ms : Math.max(this.#ms, minMs));
        const restart = () => {
          cancelTimer();
          cancelTimer = startTimer(this.#ms);
        };
        this.#underWay.add(restart);
        return () => {
          cancelTimer();
          this.#underWay.delete(restart);
        };
      },
    ]);
  }
}

/** Returns a store whose calls end within the limit, a search within 10 s. */
export function boundedTables(store: TableStore, clock: Clock, limit: CallLimit): TableStore {
  const within = <T>(call: Call<T>, minMs = 0) => limit.within(clock, call, minMs);
  return {
    commit: (table, partition, operations) => within((signal) => store.commit(table, partition, operations, signal)),
    read: (table, partition, key) => within((signal) => store.read(table, partition, key, signal)),
    query: (table, query) => within((signal) => store.query(table, query, signal), query.anyOf ? SEARCH_MS : 0),
    create: (table) => within((signal) => store.create(table, signal)),
    drop: (table) => within((signal) => store.drop(table, signal)),
    list: (prefix) => within((signal) => store.list(prefix, signal)),
  };
}

/**
 * Returns a store whose calls end within the limit, but a read of others' blobs within 10 s, a list within 30 s, and a copy
 * within 120 s. A list of one blob is a check of health, and ends within the limit.
 */
export function boundedBlobs(store: BlobStore, clock: Clock, limit: CallLimit): BlobStore {
  const within = <T>(call: Call<T>, minMs = 0) => limit.within(clock, call, minMs);
  return {
    prepare: () => within((signal) => store.prepare(signal)),
    create: (name, content, options) => within((signal) => store.create(name, content, options, signal)),
    read: (name) => within((signal) => store.read(name, signal)),
    readText: (name, maxBytes) => within((signal) => store.readText(name, maxBytes, signal), LARGE_READ_MS),
    copy: (from, to, options) => within((signal) => store.copy(from, to, options, signal), COPY_MS),
    delete: (name) => within((signal) => store.delete(name, signal)),
    list: (prefix, options) =>
      within((signal) => store.list(prefix, options, signal), options.limit === 1 ? 0 : LIST_MS),
  };
}

/** Returns a queue whose calls end within the limit. */
export function boundedQueue(store: QueueStore, clock: Clock, limit: CallLimit): QueueStore {
  const within = <T>(call: Call<T>) => limit.within(clock, call, 0);
  return {
    send: (text, options) => within((signal) => store.send(text, options, signal)),
    length: () => within((signal) => store.length(signal)),
    oldestAt: () => within((signal) => store.oldestAt(signal)),
    receive: (hiddenForMs) => within((signal) => store.receive(hiddenForMs, signal)),
    delete: (message) => within((signal) => store.delete(message, signal)),
    create: () => within((signal) => store.create(signal)),
  };
}

function timeout(ms: number): StorageError {
  return new StorageError('timeout', `Storage has not answered within ${ms} ms; the request may still take effect.`);
}
