import { createReaders, type Readers } from '../clients/readers.js';
import type { Clock, Random } from '../clock.js';
import type { Config } from '../config.js';
import type { Desk } from '../dead-letters/letter.js';
import { createPipeline, type Pipeline } from '../pipeline/pipeline.js';
import { boundedBlobs, boundedQueue, boundedTables, TryLimit } from '../storage/bounded.js';
import { createDeadLetters, type DeadLetters } from '../storage/dead-letters.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { createLedger, type Ledger } from '../storage/ledger.js';
import { createLooks } from '../storage/looks.js';
import { createStorageClock } from '../storage/storage-clock.js';
import type { TableStore } from '../storage/table-store.js';
import { createWaiting, SHARD_NAMES, type Waiting } from '../storage/waiting.js';
import { createWatermarks } from '../storage/watermarks.js';
import { type AppTelemetry, createTelemetry } from '../telemetry/telemetry.js';
import type { Workflow } from '../workflow.js';
import { type AppStores, createAzureStores } from './azure-stores.js';
import { createCredential } from './credential.js';

/** The app without Azure Functions: what each function is given. */
export type App = {
  readonly config: Config;
  /** Its `now` is by storage's clock, which all instances share. */
  readonly clock: Clock;
  readonly random: Random;
  readonly workflows: readonly Workflow[];
  readonly stores: AppStores;
  /** The workflows' own tables, and what writes to them. */
  readonly workflowTables: TableStore;
  readonly workflowCommit: GroupCommit;
  /** Which of the processes over the same storage this is, and since when. */
  readonly instance: { readonly id: string; readonly startedAt: Date };
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly waiting: Waiting;
  readonly deadLetters: DeadLetters;
  /** For who looks at dead letters, and redrives them. */
  readonly desk: Desk;
  readonly readers: Readers;
  readonly probes: readonly Probe[];
  readonly telemetry: AppTelemetry;
};

/** Asks a part of storage for next to nothing; throws when it does not answer, or refuses. */
export type Probe = { readonly part: string; check(): Promise<unknown> };

export type AppParts = {
  workflows: readonly Workflow[];
  clock: Clock;
  random: Random;
  telemetryWrite: Parameters<typeof createTelemetry>[0];
  /** Those that the settings name, where left out. */
  stores?: AppStores;
  /** Of every try of every call to storage; 3 s where left out. */
  storageTryMs?: number;
};

/** The SDKs set no limit, and Event Grid waits 30 s. */
const STORAGE_TRY_MS = 3000;

/** Puts the app together. Nothing runs yet, and nothing is sent: storage that is down stops no start. */
export function composeApp(config: Config, parts: AppParts): App {
  const { workflows, random, telemetryWrite } = parts;
  const { storageTryMs = STORAGE_TRY_MS } = parts;
  const tryLimit = new TryLimit(storageTryMs);
  const bounded = boundedStores(parts.stores ?? createAzureStores(config), parts.clock, tryLimit);
  const { tables, clock, storageNow } = createStorageClock(bounded.tables, parts.clock);
  const stores = { ...bounded, tables };
  const { workflowTables = tables } = stores;

  const commit = createGroupCommit({ tables, clock, random });
  // A group commit keeps one transaction a partition under way: over the same tables there must be only one.
  const workflowCommit =
    workflowTables === tables ? commit : createGroupCommit({ tables: workflowTables, clock, random });
  const ledger = createLedger({ tables, commit });
  const waiting = createWaiting({ tables, commit, clock, random });
  const watermarks = createWatermarks({ tables: workflowTables, commit: workflowCommit });
  const deadLetters = createDeadLetters({ blobs: stores.deadLetters });
  const telemetry = createTelemetry(telemetryWrite);
  const { fhirHosts, dicomHosts, readerIdentity } = config;
  const credential = createCredential(readerIdentity);
  const readers = createReaders({ fhirHosts, dicomHosts, credential, clock, random, telemetry });

  const pipeline = createPipeline({
    clock,
    random,
    workflows,
    stores: {
      ledger,
      waiting,
      looks: createLooks({ tables }),
      watermarks,
      deadLetters,
      workflowTables,
      workflowCommit,
      storageNow,
    },
    queues: { due: stores.due, dueLong: stores.dueLong },
    tryLimit,
    readerFor: readers.of,
    settings: config,
    telemetry,
  });
  const instance = { id: random.token(), startedAt: clock.now() };
  return {
    config,
    clock,
    random,
    workflows,
    stores,
    workflowTables,
    workflowCommit,
    instance,
    pipeline,
    ledger,
    waiting,
    deadLetters,
    desk: {
      letters: stores.deadLetters,
      undelivered: stores.undelivered,
      deadLetters,
      ledger,
      waiting,
      clock,
      storageNow,
    },
    readers,
    probes: probesOf(stores),
    telemetry,
  };
}

function boundedStores(stores: AppStores, clock: Clock, limit: TryLimit): AppStores {
  const { tables, workflowTables, deadLetters, undelivered, due, dueLong } = stores;
  return {
    tables: boundedTables(tables, clock, limit),
    workflowTables: workflowTables && boundedTables(workflowTables, clock, limit),
    deadLetters: boundedBlobs(deadLetters, clock, limit),
    undelivered: boundedBlobs(undelivered, clock, limit),
    due: boundedQueue(due, clock, limit),
    dueLong: boundedQueue(dueLong, clock, limit),
  };
}

function probesOf({ tables, workflowTables, deadLetters, due, dueLong }: AppStores): Probe[] {
  const isDueAtAll = { partition: SHARD_NAMES[0] as string, limit: 1 };
  return [
    { part: 'tables', check: () => tables.query('waiting', isDueAtAll) },
    ...(workflowTables
      ? [{ part: 'workflow-tables', check: () => workflowTables.query('watermarks', { limit: 1 }) }]
      : []),
    { part: 'blobs', check: () => deadLetters.list('pending/', { limit: 1 }) },
    { part: 'queues', check: () => Promise.all([due.length(), dueLong.length()]) },
  ];
}
