import { createReaders } from '../clients/readers.js';
import type { Clock, Random } from '../clock.js';
import type { Config } from '../config.js';
import type { DeadLetterStores } from '../dead-letters/stores.js';
import { Instances } from '../instances/instances.js';
import { LastHour } from '../instances/last-hour.js';
import { createStores, type StoragePorts } from '../pipeline/create-stores.js';
import { createPipeline } from '../pipeline/pipeline.js';
import { createActions } from '../storage/actions.js';
import { APP_TABLES } from '../storage/app-tables.js';
import { CallLimit } from '../storage/bounded.js';
import { DUE_SHARD_NAMES } from '../storage/waiting.js';
import { createTelemetry } from '../telemetry/telemetry.js';
import type { Workflow } from '../workflow.js';
import { createAzureStores } from './azure-stores.js';
import { createStorageCount } from './count-storage.js';
import { createCredential } from './credential.js';

/** The app without Azure Functions: each function gets its part of this. */
export type App = Readonly<ReturnType<typeof composeApp>>;

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
export function composeApp(config: Config, parts: AppParts) {
  const { workflows, random, telemetryWrite, storageCallMs = STORAGE_CALL_MS } = parts;
  const callLimit = new CallLimit(storageCallMs);
  const own = { clock: parts.clock, random, callLimit };
  const { stores, ports, clock } = createStores(parts.stores ?? createAzureStores(config), own);
  const lastHour = new LastHour(clock);
  const shared = { clock, random, telemetry: createTelemetry(telemetryWrite, lastHour) };
  const { fhirHosts, dicomHosts, fhirBatchReads, readerIdentity } = config;
  const credential = createCredential(readerIdentity);
  const readers = createReaders({ fhirHosts, dicomHosts, fhirBatchReads, credential, ...shared });
  const pipelineDeps = { ...shared, workflows, stores, queues: ports, callLimit, readerFor: readers.of };
  const pipeline = createPipeline({ ...pipelineDeps, settings: config });
  const instance = { id: random.token(), startedAt: clock.now() };
  const { tables, deadLetters: blobs, undelivered } = ports;
  const { circuits } = pipeline;
  const deadLetterStores: DeadLetterStores = { ...stores, blobs, undelivered, clock };
  return {
    config,
    workflows,
    ...shared, // `clock.now` is by storage's clock, which all instances share
    ...stores,
    stores: ports,
    readers,
    pipeline,
    instance,
    /** All processes over the same storage, as the page shows them. */
    instances: new Instances({ ...shared, tables, instance, lastHour, circuits }),
    /** Counts what is in storage, at most once a minute. @throws StorageError */
    countStorage: createStorageCount({ ...stores, stores: ports, clock, config }),
    /** The list of the actions of people, for other people on call. */
    actions: createActions({ tables, clock, random }),
    deadLetterStores,
    storageChecks: storageChecksOf(ports),
  };
}

function storageChecksOf(ports: StoragePorts): StorageCheck[] {
  const { tables, workflowTables, deadLetters, due, dueLong, eventQueues } = ports;
  const firstRow = { partition: DUE_SHARD_NAMES[0] as string, limit: 1 };
  return [
    { part: 'tables', check: () => tables.query(APP_TABLES.waiting, firstRow) },
    ...(workflowTables
      ? [{ part: 'workflow-tables', check: () => workflowTables.query(APP_TABLES.watermarks, { limit: 1 }) }]
      : []),
    { part: 'blobs', check: () => deadLetters.list('pending/', { limit: 1 }) },
    { part: 'queues', check: () => Promise.all([due.length(), dueLong.length()]) },
    ...(eventQueues ? [{ part: 'event-queue', check: () => eventQueues.events.length() }] : []),
  ];
}
