import type { Clock, Random } from '../clock.js';
import { DeadLetters } from '../dead-letters/store/dead-letters.js';
import type { BlobStore } from '../storage/blob-store.js';
import { boundedBlobs, boundedQueue, boundedTables, type CallLimit } from '../storage/bounded.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { createLedger, type Ledger } from '../storage/ledger.js';
import { createLooks, type Looks } from '../storage/looks.js';
import { createPauses, type Pauses } from '../storage/pauses.js';
import type { QueueStore } from '../storage/queue-store.js';
import { createStorageClock } from '../storage/storage-clock.js';
import type { TableStore } from '../storage/table-store.js';
import { createWaiting, type Waiting } from '../storage/waiting.js';
import { createWatermarks, type Watermarks } from '../storage/watermarks.js';

/** All the storage that the app uses, by its ports. */
export type StoragePorts = {
  readonly tables: TableStore;
  /** The account of the workflows' tables and of the watermarks. Undefined: they are in `tables`. */
  readonly workflowTables: TableStore | undefined;
  readonly deadLetters: BlobStore;
  /** Event Grid's own dead letters. */
  readonly undelivered: BlobStore;
  readonly due: QueueStore;
  readonly dueLong: QueueStore;
  /** Undefined unless the setting INGRESS is `queue`. */
  readonly eventQueues?: EventQueues | undefined;
};

/** Event Grid puts events into `events`. The host moves messages that it cannot decode to `poison`. */
export type EventQueues = { readonly events: QueueStore; readonly poison: QueueStore };

/** The stores of the pipeline. */
export type Stores = {
  readonly ledger: Ledger;
  readonly waiting: Waiting;
  readonly looks: Looks;
  readonly watermarks: Watermarks;
  readonly pauses: Pauses;
  readonly deadLetters: DeadLetters;
  /** The workflows' own tables. */
  readonly workflowTables: TableStore;
  readonly workflowCommit: GroupCommit;
  /** Returns the time by storage's clock. Reads from storage if this process has had no answer yet. */
  readonly storageNow: () => Promise<Date>;
};

type Deps = { readonly clock: Clock; readonly random: Random; readonly callLimit: CallLimit };

/**
 * Returns the storage of a process: `stores`; `ports` with a time limit for each call; and `clock`, whose `now` is the
 * time of storage, which all instances share.
 */
export function createStores(unbounded: StoragePorts, { clock: own, random, callLimit }: Deps) {
  const bounded = boundedPorts(unbounded, own, callLimit);
  const { tables, clock, storageNow } = createStorageClock(bounded.tables, own);
  const { workflowTables = tables } = bounded;
  const commit = createGroupCommit({ tables, clock, random });
  // A group commit sends one transaction of a partition at a time, so an account must have only one group commit.
  const workflowCommit =
    workflowTables === tables ? commit : createGroupCommit({ tables: workflowTables, clock, random });
  const stores: Stores = {
    ledger: createLedger({ tables, commit }),
    waiting: createWaiting({ tables, commit, clock, random }),
    looks: createLooks({ tables }),
    pauses: createPauses({ tables }),
    watermarks: createWatermarks({ tables: workflowTables, commit: workflowCommit }),
    deadLetters: new DeadLetters({ blobs: bounded.deadLetters }),
    workflowTables,
    workflowCommit,
    storageNow,
  };
  return { stores, ports: { ...bounded, tables }, clock };
}

function boundedPorts(ports: StoragePorts, clock: Clock, limit: CallLimit): StoragePorts {
  const { tables, workflowTables, deadLetters, undelivered, due, dueLong, eventQueues } = ports;
  return {
    tables: boundedTables(tables, clock, limit),
    workflowTables: workflowTables && boundedTables(workflowTables, clock, limit),
    deadLetters: boundedBlobs(deadLetters, clock, limit),
    undelivered: boundedBlobs(undelivered, clock, limit),
    due: boundedQueue(due, clock, limit),
    dueLong: boundedQueue(dueLong, clock, limit),
    eventQueues: eventQueues && {
      events: boundedQueue(eventQueues.events, clock, limit),
      poison: boundedQueue(eventQueues.poison, clock, limit),
    },
  };
}
