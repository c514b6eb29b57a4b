import { createChangeQueue } from '../handler/change-queue.js';
import { PendingChanges } from '../handler/pending-changes.js';
import { createWorkflowLog } from '../handler/workflow-log.js';
import { type Guard, openForReading, openTable, visible } from '../handler/workflow-table.js';
import { createGroupCommit } from '../storage/group-commit.js';
import { createMemoryTableStore } from '../storage/memory-table-store.js';
import { createWatermarks } from '../storage/watermarks.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import {
  type Duration,
  type HealthEvent,
  type Row,
  type Setting,
  type Workflow,
  type WorkflowTable,
  wants,
} from '../workflow.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';
import { type TryOptions, type TryResult, tryJob, type World } from './try-job.js';

/** More turns of the event loop than any work takes that waits for no timer. */
const TURNS = 30;
const STEP_MS = 500;

/** The guard of tables outside a handler: no lease, no fence. */
const UNGUARDED: Guard = { writableUntilMs: () => Number.POSITIVE_INFINITY, isWanted: () => true, note() {} };

/** Runs events through a workflow, over tables in memory. */
export type TestKit = {
  /** Stands still until a test moves the clock. */
  readonly clock: FakeClock;
  /** Lets time pass for running handlers. After a timeout the handler's signal aborts. */
  pass(time: Duration): Promise<void>;
  /**
   * Runs one try of the event with the code of the app's pipeline. With `ordering: 'latest'` the kit remembers which
   * versions have started and were applied.
   */
  run(workflow: Workflow, event: HealthEvent, options?: TryOptions): Promise<TryResult>;
  /** Returns the answer of the workflow's lookup; throws if `query` is invalid. */
  lookup(workflow: Workflow, query: unknown): Promise<Readonly<Record<string, unknown>>>;
  runTask(workflow: Workflow): Promise<void>;
  /** Returns a table as the workflow sees it, to write rows before a test and to read them after it. */
  tables(name: string): WorkflowTable;
  /** Returns all rows of a table, in order of partition and key. */
  rows(table: string): { partition: string; key: string; row: Row }[];
  /** The log lines of handlers, in order. */
  readonly logged: readonly Logged[];
};

export type Logged = { level: 'info' | 'warn' | 'error'; code: string; numbers: Readonly<Record<string, number>> };

/**
 * Returns a test kit: tables in memory, a log and a clock, without host and storage. The workflow's `setting` reads
 * `settings`.
 * @example
 * import { defineWorkflow, fhir } from '../src/workflow.js';
 * import { createTestKit, fhirEvent } from '../src/testing/index.js';
 *
 * const birthdays = defineWorkflow({
 *   name: 'birthdays',
 *   on: fhir('Patient'),
 *   async handle({ resourceId }, { resource, tables }) {
 *     const patient = await resource.current();
 *     const birthDate = patient?.birthDate;
 *     await tables('birthdays').change('all', resourceId, () => (birthDate ? { birthDate } : 'remove'));
 *   },
 * });
 *
 * const kit = createTestKit();
 * const event = fhirEvent({ resourceId: 'p1' });
 * const resource = { resourceType: 'Patient', birthDate: '1970-02-03' } as const;
 * assert.deepEqual(await kit.run(birthdays, event, { resource }), { kind: 'completed' });
 * assert.deepEqual(kit.rows('birthdays'), [{ partition: 'all', key: 'p1', row: { birthDate: '1970-02-03' } }]);
 * await kit.run(birthdays, event, { resource: undefined }); // deleted since
 * assert.deepEqual(kit.rows('birthdays'), []);
 * assert.deepEqual(await kit.run(birthdays, fhirEvent({ resourceType: 'Device' })), { kind: 'ignored' });
 */
export function createTestKit({ settings = {} }: { settings?: Readonly<Record<string, string>> } = {}): TestKit {
  const clock = createFakeClock();
  const logged: Logged[] = [];
  const setting = (name: string) => settings[name];
  const world = createWorld(clock, setting, logged);
  const { workflowTables, workflowCommit: commit, random, changeQueue } = world;
  const table = { tables: workflowTables, commit, random, changeQueue };
  const tables = (name: string) => openTable(name, table, UNGUARDED);

  return {
    clock,
    logged,
    tables,

    pass: ({ ms }) => letPass(ms, clock),

    async run(workflow, event, options = {}) {
      if (!wants(workflow, event)) return { kind: 'ignored' };
      return tryJob({ workflow, event, options }, world);
    },

    async lookup({ lookup }, query) {
      if (!lookup) throw new TypeError('The workflow has no lookup.');
      return lookup.answer(lookup.query.parse(query), {
        tables: (name) => openForReading(name, workflowTables),
        setting,
      });
    },

    runTask: (workflow) => runTask(workflow, tables, world),

    rows: (table) =>
      workflowTables.inspect(table).flatMap(({ partition, key, row }) => {
        const seen = visible(row);
        return seen ? [{ partition, key, row: seen }] : [];
      }),
  };
}

async function runTask({ name, task, codes }: Workflow, tables: TestKit['tables'], world: World): Promise<void> {
  if (!task) throw new TypeError('The workflow has no task.');
  const { clock, setting, telemetry } = world;
  const log = createWorkflowLog(telemetry, { workflow: name }, codes);
  const { signal } = new AbortController();
  const pendingChanges = new PendingChanges(clock);
  await task.run({
    tables: (table) => pendingChanges.watched(tables(table)),
    log,
    setting,
    now: () => clock.now(),
    signal,
  });
  await pendingChanges.ended();
}

function createWorld(clock: FakeClock, setting: Setting, logged: Logged[]) {
  let tokens = 0;
  const random = { number: () => 0.5, token: () => String(++tokens).padStart(16, '0') };
  const workflowTables = createMemoryTableStore({ clock });
  const workflowCommit = createGroupCommit({ tables: workflowTables, clock, random });
  const telemetry: Telemetry = {
    count() {},
    record() {},
    ended() {},
    trace: () => undefined,
    log(level, what, { code = '', numbers = {} } = {}) {
      if (what === 'workflow') logged.push({ level, code, numbers });
    },
  };
  return {
    clock,
    setting,
    random,
    telemetry,
    workflowTables,
    workflowCommit,
    watermarks: createWatermarks({ tables: workflowTables, commit: workflowCommit }),
    changeQueue: createChangeQueue(),
    queues: new Map(),
    incarnations: new Map(),
  };
}

async function letPass(ms: number, clock: FakeClock): Promise<void> {
  await runTurns(clock);
  for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
    clock.advance(Math.min(STEP_MS, leftMs));
    await runTurns(clock);
  }
}

async function runTurns(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((done) => clock.endOfTurn(done));
}
