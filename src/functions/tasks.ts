import { errorCodeOf } from '../pipeline/decide.js';
import { createRowTurns } from '../pipeline/row-turns.js';
import { openTable } from '../pipeline/workflow-table.js';
import type { Task, TaskContext, WorkflowLog } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

/** What storage is given to answer a write, tries and all. */
const WRITE_MS = 15_000;

type Deps = Pick<App, 'clock' | 'random' | 'config' | 'telemetry' | 'workflows' | 'workflowTables' | 'workflowCommit'>;

/** A timer for each workflow that has a task. What a task throws is logged by its code: it is due again soon. */
export function registerTasks(functions: FunctionApp, deps: Deps): void {
  const ending = new AbortController();
  for (const { name, task } of deps.workflows) {
    if (!task) continue;
    const context = contextOf(name, ending.signal, deps);
    functions.timer(task.name, {
      schedule: task.schedule,
      handler: () => run(name, task, context, deps),
    });
  }
  functions.hook.appTerminate(() => ending.abort());
}

async function run(workflow: string, task: Task, context: TaskContext, { telemetry }: Deps): Promise<void> {
  try {
    await task.run(context);
  } catch (error) {
    telemetry.log('error', 'task-failed', { workflow, errorCode: errorCodeOf(error) });
  }
}

// A write of a task      dies before it: the next time makes it; after it: the next time finds it.
//                        two at once: one finds that the row has changed, and asks again.
function contextOf(workflow: string, signal: AbortSignal, deps: Deps): TaskContext {
  const { clock, random, config, workflowTables: tables, workflowCommit: commit } = deps;
  const table = { tables, commit, random, rowTurns: createRowTurns() };
  const guard = {
    writableUntilMs: () => clock.monotonic() + WRITE_MS,
    isWanted: () => true,
    note(write: Promise<unknown>) {
      write.catch(() => {}); // who writes hears of it
    },
  };
  return {
    tables: (name) => openTable(name, table, guard),
    log: createTaskLog(workflow, deps),
    setting: config.setting,
    now: () => clock.now(),
    signal,
  };
}

function createTaskLog(workflow: string, { telemetry }: Deps): WorkflowLog {
  const write = (level: 'info' | 'warn' | 'error') => (code: string, numbers?: Readonly<Record<string, number>>) =>
    telemetry.log(level, 'workflow', { workflow, code: wordOf(code), ...(numbers && { numbers }) });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

function wordOf(code: string): string {
  return /^[a-z][a-z0-9-]{0,63}$/.test(code) ? code : 'code-not-a-word';
}
