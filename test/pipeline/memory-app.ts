import type { Random } from '../../src/clock.js';
import { digest } from '../../src/digest.js';
import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import type { ReaderFor } from '../../src/handler/job.js';
import { createStores } from '../../src/pipeline/create-stores.js';
import { createPipeline } from '../../src/pipeline/pipeline.js';
import type { Settings } from '../../src/pipeline/shared.js';
import type { Wakeup } from '../../src/pipeline/wakeups.js';
import { type Address, addressOf, ledgerPlaceOf } from '../../src/storage/address.js';
import { CallLimit } from '../../src/storage/bounded.js';
import type { AddressOf } from '../../src/storage/ledger.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Row } from '../../src/storage/table-store.js';
import type { DeliveryItem, JobItem } from '../../src/storage/waiting.js';
import { createTelemetry, type Exporter } from '../../src/telemetry/telemetry.js';
import { readerOfNothing } from '../../src/testing/content.js';
import { createFakeClock, fhirEvent } from '../../src/testing/index.js';
import type { Workflow } from '../../src/workflow.js';
import { type CallInfo, type Fault, faultyBlobs, faultyQueue, faultyTables } from '../storage/faults.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { rawOfFhir } from '../testing/raw-events.js';

/** Work that waits for no timer ends within so many turns of the event loop. */
const TURNS = 30;
const STORAGE_CALL_MS = 3000;

/**
 * Returns a storage account in memory with a clock, at 12:00:00 on 1 January 2026. `isUpgrade`: no process of this release
 * has decided about the addresses of jobs.
 */
export function createAccount({ isUpgrade = false } = {}) {
  let hasFired = false;
  const fake = createFakeClock();
  const clock: typeof fake = {
    ...fake,
    after: (ms, run) =>
      fake.after(ms, () => {
        hasFired = true;
        run();
      }),
  };
  const tables = createMemoryTableStore({ clock });
  const blobs = createMemoryBlobStore({ clock });
  const due = createMemoryQueueStore({ clock });
  const dueLong = createMemoryQueueStore({ clock });
  if (!isUpgrade) {
    void tables.create('appstate');
    void tables.commit('appstate', 'ledger', [{ kind: 'insert', key: 'by-change', row: { firstDay: '' } }]);
  }
  let tokens = 0;
  /** With 0.5, waits are neither longer nor shorter than the series says. */
  const random: Random = { number: () => 0.5, token: () => String(++tokens).padStart(16, '0') };

  return {
    clock,
    tables,
    blobs,
    due,
    dueLong,
    random,

    /** Lets `ms` pass, and runs all work that is ready at each moment of it. */
    async pass(ms: number): Promise<void> {
      const stepMs = Math.max(500, ms / 200);
      await allThatFollows();
      for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
        hasFired = false;
        clock.advance(Math.min(stepMs, leftMs));
        if (hasFired) await allThatFollows(); // nothing follows from time alone
      }
    },

    /** Returns the record of a job, with the defaults of properties that are not stored. */
    record(address: Address): Row | undefined {
      const { table, partition, key } = ledgerPlaceOf(address);
      const stored = tables.inspect(table).find((one) => one.partition === partition && one.key === key);
      return stored && { tries: 0, crashes: 0, redrives: 0, errorCode: '', unknownSince: '', ...stored.row };
    },

    waiting(): { shard: string; dueAt: string; row: Row; name: string }[] {
      return tables
        .inspect('waiting')
        .map(({ partition, key, row }) => ({ shard: partition, dueAt: key.slice(0, 24), row, name: key }));
    },

    /** Returns the dead letters by their names without the digest: `pending/failed/2026-01-01/0`. */
    letters(): Record<string, Record<string, unknown>> {
      const entries = [...blobs.inspect()].map(([name, json]) => [
        name.replace(/[^/]{22}\.(\d+)\.json$/, '$1'),
        JSON.parse(json),
      ]);
      return Object.fromEntries(entries);
    },
  };
}

export type Account = ReturnType<typeof createAccount>;

/** Returns the records of the first day, without the entries that lead to them. */
export function recordsOf({ tables }: Account): Row[] {
  return tables.inspect('ledger20260101').flatMap(({ key, row }) => (key.startsWith('!') ? [] : [row]));
}

/** Starts a process of the app over `account`. */
export function startApp(
  account: Account,
  options: {
    workflows?: readonly Workflow[];
    settings?: Partial<Settings>;
    readerFor?: ReaderFor;
    exporter?: Exporter;
    /** Makes the addresses of jobs, as another release does. */
    addresses?: AddressOf | undefined;
  } = {},
) {
  const { random } = account;
  const lines: string[] = [];
  const calls: string[] = [];
  let isDead = false;
  /** Decides how each call to storage ends. Tests change it at any time. */
  let faultFor: (call: CallInfo) => Fault = () => 'ok';
  /** Calls for this table come once in a process (test/storage/first-day-by-change), and every 10 s for the pauses. */
  let appstate: Fault = 'ok';
  const plan = (call: CallInfo) => {
    if (call.on === 'appstate') return isDead ? 'never' : appstate;
    calls.push(`${call.method} ${call.on}`);
    return isDead ? 'never' : faultFor(call);
  };

  const callLimit = new CallLimit(STORAGE_CALL_MS);
  const { stores, ports, clock } = createStores(
    {
      tables: faultyTables(account.tables, plan),
      workflowTables: undefined,
      deadLetters: faultyBlobs(account.blobs, plan),
      undelivered: createMemoryBlobStore({ clock: account.clock }),
      due: faultyQueue(account.due, plan),
      dueLong: faultyQueue(account.dueLong, plan),
    },
    { clock: account.clock, random, callLimit },
  );
  const { ledger, waiting, pauses } = stores;
  const { addresses } = options;
  if (addresses) Object.assign(ledger, { open: async () => addresses });
  const telemetry = createTelemetry((level, line) => lines.push(`${level} ${line}`));
  if (options.exporter) telemetry.exportTo(Promise.resolve(options.exporter));
  const pipeline = createPipeline({
    clock,
    random,
    workflows: options.workflows ?? [],
    stores,
    queues: ports,
    callLimit,
    readerFor: options.readerFor ?? readerOfNothing,
    settings: {
      deadlineMs: 15_000,
      leaseMs: 60_000,
      workspaces: undefined,
      setting: () => undefined,
      ...options.settings,
    },
    telemetry,
  });

  return {
    pipeline,
    ledger,
    waiting,
    pauses,
    counters: telemetry.counters,
    lines,
    /** Every call to storage so far, as `method name`. */
    calls,

    /** Sets how each further call to storage ends, except calls for the table `appstate`. */
    storageIs(next: (call: CallInfo) => Fault): void {
      faultFor = next;
    },

    /** Sets how each further call for the table `appstate` ends. */
    appstateIs(next: Fault): void {
      appstate = next;
    },

    /** Ends the process: no further call takes effect or is answered. */
    crash(): void {
      isDead = true;
    },

    isDead: () => isDead,

    /**
     * Does the work of the timer and of the queues: sends the messages for due rows, and runs the rows that they name.
     */
    async runDueRows(): Promise<void> {
      await pipeline.wake();
      const messages = new Set<string>(); // a row's own message may say the same as that of the timer
      for (const queue of [account.due, account.dueLong]) {
        for (let text = queue.take(); text !== undefined; text = queue.take()) messages.add(text);
      }
      await Promise.all([...messages].map((message) => pipeline.redeliver(JSON.parse(message) as Wakeup)));
    },

    /** Adds a row that is due now. */
    async addRow(item: Omit<JobItem, 'eventIdDigest'> | DeliveryItem, event: unknown): Promise<string> {
      const eventIdDigest = digest(String((event as { id?: unknown }).id));
      const dueAt = new Date(clock.now().getTime() - 1);
      const row = { dueAt, isLong: false, event: JSON.stringify(event), item: { eventIdDigest, ...item } };
      return waiting.add(row, clock.monotonic() + 10_000);
    },
  };
}

export type App = ReturnType<typeof startApp>;

/** Returns the FHIR event of these fields as Event Grid sends it. */
export function rawEvent(fields: Parameters<typeof fhirEvent>[0] = {}) {
  // An event with another id is about another resource, unless a test sets the version, too.
  const isOther = fields.id !== undefined && fields.id !== 'event-1' && fields.version === undefined;
  return rawOfFhir(fhirEvent({ id: 'event-1', ...(isOther && { resourceId: `of-${fields.id}` }), ...fields }));
}

/** Returns the address of the job of this event for this workflow. */
export function addressOfRaw(raw: unknown, workflow: Workflow | string): Address {
  return addressOf(keyOf(parseEvent(raw)), typeof workflow === 'string' ? workflow : workflow.name);
}

/** Returns the state of a promise so far. Its rejection needs no other handler. */
export function watched<T>(promise: Promise<T>) {
  const seen = { state: 'open' as 'open' | 'resolved' | 'rejected', error: undefined as unknown, promise };
  promise.then(
    () => {
      seen.state = 'resolved';
    },
    (error: unknown) => {
      seen.state = 'rejected';
      seen.error = error;
    },
  );
  return seen;
}

/** Lets all work run that waits for no timer. */
export async function allThatFollows(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
