import { createChangeQueue } from '../../src/handler/change-queue.js';
import { openTable } from '../../src/handler/workflow-table.js';
import { createGroupCommit } from '../../src/storage/group-commit.js';
import type { Context } from '../../src/workflow.js';
import type { Account } from './memory-app.js';

/** Tables over the storage of `account`, as the holder number `fence` of a resource has them. */
export function fencedTables({ tables, clock, random }: Account, fence: number, id = 'resource'): Context['tables'] {
  const deps = {
    tables,
    random,
    commit: createGroupCommit({ tables, clock, random }),
    changeQueue: createChangeQueue(),
  };
  const guard = {
    fence: { number: fence, resource: id },
    writableUntilMs: () => Number.POSITIVE_INFINITY,
    isWanted: () => true,
    note() {},
    seen: new Map(),
  };
  return (name) => openTable(name, deps, guard);
}
