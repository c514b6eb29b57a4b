import { errorCodeOf } from '../errors.js';
import { type ChangeQueue, createChangeQueue } from '../handler/change-queue.js';
import { ignoreUnhandled, PendingChanges } from '../handler/pending-changes.js';
import { createWorkflowLog } from '../handler/workflow-log.js';
import { openTable } from '../handler/workflow-table.js';
import { createMissingTables } from '../storage/commit-creating.js';
import type { Task, TaskContext, Workflow, WorkflowTable } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './serve.js';

/** The time limit of a write, however often it is sent. */
const WRITE_MS = 15_000;

type Deps = Pick<App, 'clock' | 'random' | 'config' | 'telemetry' | 'workflows' | 'workflowTables' | 'workflowCommit'>;

/** Shared by all tasks of this process. */
type Shared = {
  readonly signal: AbortSignal;
  readonly changeQueue: ChangeQueue;
  /** The tables that exist or are being created, by name. */
  readonly prepared: Map<string, Promise<void>>;
};

/**
 * Registers a timer for each workflow that has a task. If a task fails, the code of its error is logged, and the timer runs
 * the task again at its next time.
 */
export function registerTasks(functions: FunctionApp, deps: Deps): void {
  const ending = new AbortController();
  const shared = { signal: ending.signal, changeQueue: createChangeQueue(), prepared: new Map() };
  for (const workflow of deps.workflows) {
    const { task } = workflow;
    if (!task) continue;
    functions.timer(task.name, {
      schedule: task.schedule,
      handler: () => run({ ...workflow, task }, shared, deps),
    });
  }
  functions.hook.appTerminate(() => ending.abort());
}

type WithTask = Pick<Workflow, 'name' | 'codes'> & { readonly task: Task };

async function run({ name, codes, task }: WithTask, shared: Shared, deps: Deps): Promise<void> {
  const pendingChanges = new PendingChanges(deps.clock);
  try {
    await task.run(contextOf({ name, codes }, { ...shared, pendingChanges }, deps));
    await pendingChanges.ended();
  } catch (error) {
    deps.telemetry.record('tasksFailed', 1, { workflow: name });
    deps.telemetry.log('error', 'task-failed', { workflow: name, errorCode: errorCodeOf(error, codes) });
  }
}

// A write of a task.
//   process dies before the write    the next run writes
//   process dies after the write     the next run finds the row
//   two runs at once                 storage refuses one write; that run reads the row, and calls `decide` again
function contextOf(
  { name: workflow, codes }: Pick<Workflow, 'name' | 'codes'>,
  shared: Shared & { readonly pendingChanges: PendingChanges },
  deps: Deps,
): TaskContext<string> {
  const { signal, changeQueue, pendingChanges } = shared;
  const { clock, random, config, telemetry, workflowTables: tables, workflowCommit: commit } = deps;
  const table = { tables, commit, random, changeQueue };
  const guard = {
    writableUntilMs: () => clock.monotonic() + WRITE_MS,
    isWanted: () => true,
    note(write: Promise<unknown>) {
      write.catch(() => {}); // the task itself gets the error
    },
  };
  return {
    tables: (name) =>
      pendingChanges.watched(whenPrepared(openTable(name, table, guard), () => prepare(name, shared, deps))),
    log: createWorkflowLog(telemetry, { workflow }, codes),
    setting: config.setting,
    now: () => clock.now(),
    signal,
  };
}

/** Creates a table before its first use: a task can run before any handler has written, and its reads would get a 404. */
function prepare(name: string, { prepared }: Shared, { workflowTables }: Deps): Promise<void> {
  const known = prepared.get(name);
  if (known) return known;
  const made = createMissingTables(workflowTables, [name]);
  prepared.set(name, made);
  made.catch(() => prepared.delete(name));
  return made;
}

function whenPrepared({ get, list, change }: WorkflowTable, prepare: () => Promise<void>): WorkflowTable {
  return {
    get: (...all) => ignoreUnhandled(prepare().then(() => get(...all))),
    list: (...all) => ignoreUnhandled(prepare().then(() => list(...all))),
    change: (...all) => prepare().then(() => change(...all)),
  };
}
