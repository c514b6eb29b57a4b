import { digest } from '../../../digest.js';
import type { HealthEvent } from '../../../events/health-event.js';
import { resourceOf } from '../../../events/order.js';
import type { Row } from '../../../storage/table-store.js';
import { rowsOfRun } from './reads.js';
import type { TableCheck } from './table-check.js';

/** Checks that the row of each resource shows its newest change. */
export const checkIndex: TableCheck = {
  workflow: 'resource-index',
  async check(run) {
    const left = new Map(run.newest);
    const problems: string[] = [];
    let rows = 0;
    for await (const row of rowsOfRun(run, 'resources')) {
      const key = digest(resourceOf(eventOfRow(row)));
      const expected = left.get(key);
      if (!expected) continue;
      left.delete(key);
      rows += 1;
      if (!run.hasCompleted(expected.n)) continue;
      if (row.version === expected.version && row.change === expected.change) continue;
      problems.push(`a row is at version ${row.version} (${row.change}), not ${expected.version}`);
    }
    for (const { n, version } of left.values()) {
      if (run.hasCompleted(n)) problems.push(`a row is missing for a resource at version ${version}`);
    }
    return { rows, problems };
  },
};

function eventOfRow({ dicomPartition, ...row }: Row): HealthEvent {
  return { ...row, partition: dicomPartition } as unknown as HealthEvent;
}
