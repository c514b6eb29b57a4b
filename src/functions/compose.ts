import type { StorageCounts } from '../api/stats.js';
import { createReaders, type Readers } from '../clients/readers.js';
import type { Clock, Random } from '../clock.js';
import type { Config } from '../config.js';
import type { DeadLetters } from '../dead-letters/store/dead-letters.js';
import type { DeadLetterStores } from '../dead-letters/stores.js';
import { createInstances, type Instances } from '../instances/instances.js';
import { LastHour } from '../instances/last-hour.js';
import { createStores, type StoragePorts } from '../pipeline/create-stores.js';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.js';
import { type Actions, createActions } from '../storage/actions.js';
import { CallLimit } from '../storage/bounded.js';
import type { GroupCommit } from '../storage/group-commit.js';
import type { Ledger } from '../storage/ledger.js';
import type { Pauses } from '../storage/pauses.js';
import type { TableStore } from '../storage/table-store.js';
import { DUE_SHARD_NAMES, type Waiting } from '../storage/waiting.js';
import { type AppTelemetry, createTelemetry } from '../telemetry/telemetry.js';
import type { Workflow } from '../workflow.js';
import { createAzureStores } from './azure-stores.js';
import { createStorageCount } from './count-storage.js';
import { createCredential } from './credential.js';

/** The app without Azure Functions: each function gets its part of this. */
export type App = {
  readonly config: Config;
  /** Its `now` is by storage's clock, which all instances share. */
  readonly clock: Clock;
  readonly random: Random;
  readonly workflows: readonly Workflow[];
  readonly stores: StoragePorts;
  /** The workflows' own tables, and the group commit that writes to them. */
  readonly workflowTables: TableStore;
  readonly workflowCommit: GroupCommit;
  /** The id and the start time of this process. */
  readonly instance: { readonly id: string; readonly startedAt: Date };
  /** All processes over the same storage, as the page shows them. */
  readonly instances: Instances;
  /** Counts what is in storage, at most once a minute. @throws StorageError */
  readonly countStorage: () => Promise<StorageCounts>;
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly waiting: Waiting;
  readonly pauses: Pauses;
  /** The list of the actions of people, for other people on call. */
  readonly actions: Actions;
  readonly deadLetters: DeadLetters;
  /** For listing, redriving and discarding dead letters. */
  readonly deadLetterStores: DeadLetterStores;
  readonly readers: Readers;
  readonly storageChecks: readonly StorageCheck[];
  readonly telemetry: AppTelemetry;
};

/** A part of storage. `check` sends a small request, and throws if the part does not answer, or refuses. */
export type StorageCheck = { readonly part: string; check(): Promise<unknown> };

type AppParts = {
  workflows: readonly Workflow[];
  clock: Clock;
  random: Random;
  telemetryWrite: Parameters<typeof createTelemetry>[0];
  /** Default: the storage that the settings name. */
  stores?: StoragePorts;
  /** The time limit of every call to storage. Default: 3 s. */
  storageCallMs?: number;
};

/** The SDKs set no limit, and Event Grid waits 30 s. */
const STORAGE_CALL_MS = 3000;

/** Returns the app. Nothing runs and nothing is sent yet, so the app starts even if storage is down. */
export function composeApp(config: Config, parts: AppParts): App {
  const { workflows, random, telemetryWrite, storageCallMs = STORAGE_CALL_MS } = parts;
  const callLimit = new CallLimit(storageCallMs);
  const { stores, ports, clock } = createStores(parts.stores ?? createAzureStores(config), {
    clock: parts.clock,
    random,
    callLimit,
  });
  const lastHour = new LastHour(clock);
  const shared = { clock, random, telemetry: createTelemetry(telemetryWrite, lastHour) };
  const { fhirHosts, dicomHosts, fhirBatchReads, readerIdentity } = config;
  const credential = createCredential(readerIdentity);
  const readers = createReaders({ fhirHosts, dicomHosts, fhirBatchReads, credential, ...shared });
  const of = { workflows, stores, queues: ports, callLimit, readerFor: readers.of, settings: config };
  const { ledger, waiting, pauses, deadLetters, workflowTables, workflowCommit, storageNow } = stores;
  const { deadLetters: blobs, undelivered } = ports;
  const pipeline = createPipeline({ ...shared, ...of });
  const instance = { id: random.token(), startedAt: clock.now() };
  const { tables } = ports;
  const { circuits } = pipeline;
  return {
    config,
    workflows,
    ...shared,
    stores: ports,
    workflowTables,
    workflowCommit,
    pipeline,
    instance,
    instances: createInstances({ ...shared, tables, instance, lastHour, circuits }),
    countStorage: createStorageCount({ waiting, deadLetters, stores: ports, clock, config }),
    ledger,
    waiting,
    pauses,
    actions: createActions({ tables, clock, random }),
    deadLetters,
    deadLetterStores: { blobs, undelivered, deadLetters, ledger, waiting, clock, storageNow },
    readers,
    storageChecks: storageChecksOf(ports),
  };
}

function storageChecksOf(ports: StoragePorts): StorageCheck[] {
  const { tables, workflowTables, deadLetters, due, dueLong, eventQueues } = ports;
  const firstRow = { partition: DUE_SHARD_NAMES[0] as string, limit: 1 };
  return [
    { part: 'tables', check: () => tables.query('waiting', firstRow) },
    ...(workflowTables
      ? [{ part: 'workflow-tables', check: () => workflowTables.query('watermarks', { limit: 1 }) }]
      : []),
    { part: 'blobs', check: () => deadLetters.list('pending/', { limit: 1 }) },
    { part: 'queues', check: () => Promise.all([due.length(), dueLong.length()]) },
    ...(eventQueues ? [{ part: 'event-queue', check: () => eventQueues.events.length() }] : []),
  ];
}
