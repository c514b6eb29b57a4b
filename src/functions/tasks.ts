import { errorCodeOf } from '../errors.js';
import { type ChangeQueue, createChangeQueue } from '../handler/change-queue.js';
import { ignoreUnhandled, PendingChanges } from '../handler/pending-changes.js';
import { createWorkflowLog } from '../handler/workflow-log.js';
import { openTable } from '../handler/workflow-table.js';
import { createMissingTables } from '../storage/create-missing-tables.js';
import type { Task, TaskContext, Workflow, WorkflowTable } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

/** The time limit of a write, however often it is sent. */
const WRITE_MS = 15_000;

type Deps = Pick<App, 'clock' | 'random' | 'config' | 'telemetry' | 'workflows' | 'workflowTables' | 'workflowCommit'>;

/** Shared by all tasks of this process. */
type Shared = {
  readonly signal: AbortSignal;
  readonly changeQueue: ChangeQueue;
  /** By name, the tables that are known to be there, or are being made. */
  readonly prepared: Map<string, Promise<void>>;
};

/**
 * Registers a timer for each workflow that has a task. An error of a task is logged by its code; the timer runs it
 * again.
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

type OfTask = Pick<Workflow, 'name' | 'codes'> & { readonly task: Task };

async function run({ name, codes, task }: OfTask, shared: Shared, deps: Deps): Promise<void> {
  const pendingChanges = new PendingChanges(deps.clock);
  try {
    await task.run(contextOf({ name, codes }, pendingChanges, shared, deps));
    await pendingChanges.ended();
  } catch (error) {
    deps.telemetry.record('tasksFailed', 1, { workflow: name });
    deps.telemetry.log('error', 'task-failed', { workflow: name, errorCode: errorCodeOf(error, codes) });
  }
}

// A write of a task. The process dies before it: the next run writes; after it: the next run finds the row.
// Two processes write at once: one finds that the row has changed, and calls the task's function again.
function contextOf(
  { name: workflow, codes }: Pick<Workflow, 'name' | 'codes'>,
  pendingChanges: PendingChanges,
  shared: Shared,
  deps: Deps,
): TaskContext<string> {
  const { signal, changeQueue } = shared;
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

/** Creates the table before its first use: a task runs before anything is written, and each request would get a 404. */
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
