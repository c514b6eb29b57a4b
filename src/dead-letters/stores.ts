import type { Clock } from '../clock.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { Ledger } from '../storage/ledger.js';
import type { Waiting } from '../storage/waiting.js';
import type { DeadLetters } from './store/dead-letters.js';

/** The storage for showing, redriving, discarding and importing dead letters. */
export type DeadLetterStores = {
  /** The container `dead-letters`. */
  readonly blobs: BlobStore;
  readonly deadLetters: Pick<DeadLetters, 'write' | 'move'>;
  /** The container of Event Grid's own dead letters. */
  readonly undelivered: BlobStore;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly clock: Clock;
  /** The time by storage's clock (T1), which also dates blobs. */
  readonly storageNow: () => Promise<Date>;
};

/** The storage for listing and showing dead letters. */
export type ReadStores = Pick<DeadLetterStores, 'blobs' | 'undelivered'>;
