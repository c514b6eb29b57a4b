import { Begun, bearable } from '../pipeline/begun.js';
import { errorCodeOf } from '../pipeline/decide.js';
import { createRowTurns, type RowTurns } from '../pipeline/row-turns.js';
import { createWorkflowLog } from '../pipeline/workflow-log.js';
import { openTable } from '../pipeline/workflow-table.js';
import { createMissingTables } from '../storage/create-missing-tables.js';
import type { Task, TaskContext, Workflow, WorkflowTable } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

/** What storage is given to answer a write, tries and all. */
const WRITE_MS = 15_000;

type Deps = Pick<App, 'clock' | 'random' | 'config' | 'telemetry' | 'workflows' | 'workflowTables' | 'workflowCommit'>;

/** What all tasks of this process have in common. */
type Shared = {
  readonly signal: AbortSignal;
  readonly rowTurns: RowTurns;
  /** By name, the tables that are known to be there, or are being made. */
  readonly prepared: Map<string, Promise<void>>;
};

/** A timer for each workflow that has a task. What a task throws is logged by its code: it is due again soon. */
export function registerTasks(functions: FunctionApp, deps: Deps): void {
  const ending = new AbortController();
  const shared = { signal: ending.signal, rowTurns: createRowTurns(), prepared: new Map() };
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
  const begun = new Begun();
  try {
    await task.run(contextOf({ name, codes }, begun, shared, deps));
    await begun.rest();
  } catch (error) {
    deps.telemetry.record('tasksFailed', 1, { workflow: name });
    deps.telemetry.log('error', 'task-failed', { workflow: name, errorCode: errorCodeOf(error, codes) });
  }
}

// A write of a task      dies before it: the next time makes it; after it: the next time finds it.
//                        two at once: one finds that the row has changed, and asks again.
function contextOf(
  { name: workflow, codes }: Pick<Workflow, 'name' | 'codes'>,
  begun: Begun,
  shared: Shared,
  deps: Deps,
): TaskContext<string> {
  const { signal, rowTurns } = shared;
  const { clock, random, config, telemetry, workflowTables: tables, workflowCommit: commit } = deps;
  const table = { tables, commit, random, rowTurns };
  const guard = {
    writableUntilMs: () => clock.monotonic() + WRITE_MS,
    isWanted: () => true,
    note(write: Promise<unknown>) {
      write.catch(() => {}); // who writes hears of it
    },
  };
  return {
    tables: (name) => begun.kept(whenPrepared(openTable(name, table, guard), () => prepare(name, shared, deps))),
    log: createWorkflowLog(telemetry, { workflow }, codes),
    setting: config.setting,
    now: () => clock.now(),
    signal,
  };
}

/** A task runs though nothing has ever been written: a request for a table that is absent would fail each time. */
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
    get: (...all) => bearable(prepare().then(() => get(...all))),
    list: (...all) => bearable(prepare().then(() => list(...all))),
    change: (...all) => prepare().then(() => change(...all)),
  };
}
