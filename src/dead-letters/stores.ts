import type { Clock } from '../clock.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { Ledger } from '../storage/ledger.js';
import type { Waiting } from '../storage/waiting.js';
import type { DeadLetters } from './store/dead-letters.js';

/** The storage that looking at dead letters, redriving, discarding and importing need. */
export type DeadLetterStores = {
  /** The container `dead-letters`. */
  readonly blobs: BlobStore;
  readonly deadLetters: Pick<DeadLetters, 'write' | 'move'>;
  /** The container of Event Grid's own dead letters. */
  readonly undelivered: BlobStore;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly clock: Clock;
  /** By storage's clock, as the times of blobs are (T1). */
  readonly storageNow: () => Promise<Date>;
};

/** Enough to list and show dead letters. */
export type ReadStores = Pick<DeadLetterStores, 'blobs' | 'undelivered'>;
