import { createChangeQueue } from '../../../src/handler/change-queue.js';
import { openTable } from '../../../src/handler/workflow-table.js';
import { createGroupCommit } from '../../../src/storage/group-commit.js';
import type { Context, TaskContext, Workflow } from '../../../src/workflow.js';
import type { Account } from '../../pipeline/memory-app.js';

/** Runs the workflow's timer `times` times, a minute apart. */
export async function runTimer({ task }: Workflow, account: Account, times: number): Promise<void> {
  const context: TaskContext<string> = {
    tables: openTables(account),
    log: { info() {}, warn() {}, error() {} },
    setting: () => undefined,
    now: account.clock.now,
    signal: new AbortController().signal,
  };
  for (let at = 0; at < times; at += 1) {
    await task?.run(context);
    account.clock.advance(60_000);
  }
}

/** Tables over the storage of `account`, as one handler has them that never loses its lease. */
export function openTables({ tables, clock, random }: Account): Context['tables'] {
  const deps = {
    tables,
    random,
    commit: createGroupCommit({ tables, clock, random }),
    changeQueue: createChangeQueue(),
  };
  const guard = { writableUntilMs: () => Number.POSITIVE_INFINITY, isWanted: () => true, note() {}, seen: new Map() };
  return (name) => openTable(name, deps, guard);
}
