import { Begun } from '../pipeline/begun.js';
import { createContext } from '../pipeline/context.js';
import { decideFailure, errorCodeOf, type Failure } from '../pipeline/decide.js';
import { createCancellation, type HandlerResult, runHandler } from '../pipeline/handler.js';
import { createRowTurns } from '../pipeline/row-turns.js';
import { openForReading, visible } from '../pipeline/workflow-table.js';
import { createGroupCommit } from '../storage/group-commit.js';
import type { JobRecord } from '../storage/ledger.js';
import { createMemoryTableStore } from '../storage/memory-table-store.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type HealthEvent, type Row, type Workflow, type WorkflowTable, wants } from '../workflow.js';
import { type Content, readerOfContent, readerOfNothing } from './content.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';
import { fhirEvent } from './sample-events.js';
import { held, recordOf, runOf, watermarkOf } from './stand-ins.js';

export type TestKit = {
  /** Timeouts run on it: `advance` past one, and the handler's signal aborts. */
  readonly clock: FakeClock;
  /** One try of the handler, judged as the app would. */
  run(workflow: Workflow, event: HealthEvent, options?: TryOptions): Promise<TryResult>;
  /** What its look-up answers; throws where `query` is none that it takes. */
  lookup(workflow: Workflow, query: unknown): Promise<Readonly<Record<string, unknown>>>;
  /** Runs its task once. */
  runTask(workflow: Workflow): Promise<void>;
  /** A table as the workflow sees it: to put rows in beforehand, and to look. */
  tables(name: string): WorkflowTable;
  /** All rows of a table, in order of partition and key. */
  rows(table: string): { partition: string; key: string; row: Row }[];
  /** What handlers have logged, in order. */
  readonly logged: readonly Logged[];
};

export type TryOptions = {
  /** 1 where left out: what the handler sees, and how near the last try is. */
  attempt?: number;
  /** For `ordering: 'latest'`: 1 where left out. Rows refuse a write with a lower one than they were written with. */
  fence?: number;
  /** When the first try was; now, where left out. `giveUpAfter` counts from it. */
  firstTryAt?: Date;
  /** What the handler's reads find: a resource, `undefined` where it is gone, an error that they throw, or more by name. */
  resource?: Content;
  /** Abort it to see what the handler does when the process ends. */
  processEnds?: AbortSignal;
};

/** What the app would do next. `error` is what the handler threw; undefined where its time was over. */
export type TryResult =
  | { kind: 'completed' }
  /** Another try; `inMs` without the 20 % that the app adds or takes by chance. */
  | { kind: 'retry'; inMs: number; countsAsTry: boolean; code: string; error: unknown }
  | { kind: 'dead'; reason: (Failure & { kind: 'for-good' })['reason']; code: string; error: unknown }
  /** Interrupted by the end of the process: another process tries at once, and it counts as no try. */
  | { kind: 'stopped' }
  /** The workflow does not select this event. The handler was not called. */
  | { kind: 'ignored' };

export type Logged = { level: 'info' | 'warn' | 'error'; code: string; numbers: Readonly<Record<string, number>> };

/**
 * All that a test of a workflow needs: tables in memory, a log to look at and a clock to move, no host and no storage.
 * `settings` are those that the workflow asks for by `setting`.
 * @example
 * import { defineWorkflow, fhir } from '../src/workflow.js';
 * import { createTestKit, fhirEvent } from '../src/testing/index.js';
 *
 * const index = defineWorkflow({
 *   name: 'patient-index',
 *   on: fhir('Patient', ['created', 'updated']),
 *   async handle({ resourceId, version }, { tables }) {
 *     await tables('patients').change('all', resourceId, () => ({ version }));
 *   },
 * });
 *
 * const kit = createTestKit();
 * assert.deepEqual(await kit.run(index, fhirEvent({ resourceId: 'p1', version: 1 })), { kind: 'completed' });
 * assert.deepEqual(kit.rows('patients'), [{ partition: 'all', key: 'p1', row: { version: 1 } }]);
 * assert.deepEqual(await kit.run(index, fhirEvent({ resourceType: 'Device' })), { kind: 'ignored' });
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
 * await kit.run(birthdays, event, { resource: { resourceType: 'Patient', birthDate: '1970-02-03' } });
 * assert.deepEqual(kit.rows('birthdays')[0]?.row, { birthDate: '1970-02-03' });
 * await kit.run(birthdays, event, { resource: undefined }); // deleted since
 * assert.deepEqual(kit.rows('birthdays'), []);
 */
export function createTestKit({ settings = {} }: { settings?: Readonly<Record<string, string>> } = {}): TestKit {
  const clock = createFakeClock();
  let tokens = 0;
  const random = { number: () => 0.5, token: () => String(++tokens).padStart(16, '0') };
  const store = createMemoryTableStore({ clock });
  const commit = createGroupCommit({ tables: store, clock, random });
  const logged: Logged[] = [];
  const telemetry: Telemetry = {
    count() {},
    record() {},
    trace: () => undefined,
    log(level, _what, { code = '', numbers = {} } = {}) {
      logged.push({ level, code, numbers });
    },
  };

  const world = {
    tables: store,
    commit,
    rowTurns: createRowTurns(),
    writing: new Set<Promise<unknown>>(),
    random,
    telemetry,
    setting: (name: string) => settings[name],
  };

  return {
    clock,
    logged,

    async run(workflow, event, options = {}) {
      if (!wants(workflow, event)) return { kind: 'ignored' };
      const record = recordOf({ attempt: 1, firstTryAt: clock.now(), ...options });
      const cancellation = createCancellation();
      const begun = new Begun();
      let isOpen = true;
      const context = createContext({
        ...world,
        begun,
        readerFor: () => ('resource' in options ? readerOfContent(event, options.resource) : readerOfNothing(event)),
        run: runOf(event, workflow),
        job: held(record),
        resource: workflow.ordering === 'latest' ? held(watermarkOf(options.fence ?? 1)) : undefined,
        cancellation,
        isOpen: () => isOpen,
      });
      const result = await runHandler(
        { workflow, event, context, cancellation, rest: () => begun.rest() },
        { clock, watch: (abort) => onAbort(options.processEnds, () => abort('stopped')) },
      );
      isOpen = false;
      return judge(result, record, workflow);
    },

    tables: (name) => createContext(contextOfNothing()).tables(name),

    async lookup({ lookup }, query) {
      if (!lookup) throw new TypeError('The workflow has no look-up.');
      const { setting } = world;
      const tables = (name: string) => openForReading(name, store);
      return lookup.answer(lookup.query.parse(query), { tables, setting });
    },

    async runTask({ task }) {
      if (!task) throw new TypeError('The workflow has no task.');
      const { log } = createContext(contextOfNothing());
      const { signal } = new AbortController();
      await task.run({ tables: this.tables, log, setting: world.setting, now: () => clock.now(), signal });
    },

    rows: (table) =>
      store.inspect(table).flatMap(({ partition, key, row }) => {
        const seen = visible(row);
        return seen ? [{ partition, key, row: seen }] : [];
      }),
  };

  function contextOfNothing() {
    return {
      ...world,
      begun: new Begun(),
      readerFor: readerOfNothing,
      run: runOf(fhirEvent(), undefined),
      job: held(recordOf({ attempt: 1, firstTryAt: clock.now() })),
      resource: undefined,
      cancellation: createCancellation(),
      isOpen: () => true,
    };
  }

  function judge(result: HandlerResult, record: JobRecord, workflow: Workflow): TryResult {
    if (result.kind === 'ok') return { kind: 'completed' };
    if (result.kind === 'stopped') return { kind: 'stopped' };
    const error = result.kind === 'threw' ? result.error : undefined;
    const code = result.kind === 'threw' ? errorCodeOf(error) : result.kind;
    const failure = decideFailure(error, record, workflow, { now: clock.now(), random });
    return failure.kind === 'retry'
      ? { ...failure, code, error }
      : { kind: 'dead', reason: failure.reason, code, error };
  }
}

function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted) run();
  signal?.addEventListener('abort', run);
  return () => signal?.removeEventListener('abort', run);
}
