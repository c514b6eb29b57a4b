import type { Row, WorkflowTable } from '../../workflow.js';
import type { Place } from './results.js';

/**
 * Table `activealerts`: where the active alerts are, for a look-up that is not to read all that were ever withdrawn.
 *
 * An alert's `revision` rises with each change of its status, and the list has the revision that an alert became active
 * with, or a later one. It is put on the list before it becomes active, by a write that is not made where it would be a
 * later revision than the list has. It is taken off after it was withdrawn, where the list's revision is older than
 * that. So an active alert is always listed, however many handlers are about it and wherever one dies. What is listed
 * may not be active, or not be there: who reads the list reads the alert, too.
 */
type Tables = (name: string) => WorkflowTable;

export async function addToActiveList(tables: Tables, { partition, key }: Place, revision: number): Promise<void> {
  const decide = (current: Row | undefined) => (Number(current?.revision ?? 0) >= revision ? 'keep' : { revision });
  await tables('activealerts').change(partition, key, decide, revision === 1 ? { expect: 'absent' } : {});
}

/** `revision`: the one that it was withdrawn with. */
export async function removeFromActiveList(tables: Tables, { partition, key }: Place, revision: number): Promise<void> {
  await tables('activealerts').change(partition, key, (current) =>
    current !== undefined && Number(current.revision) < revision ? 'remove' : 'keep',
  );
}

/** The revision with which the row becomes active, where it was not. */
export function becomesActive(current: Row | undefined, decided: Row | 'keep'): number | undefined {
  const isNew = decided !== 'keep' && decided.status === 'active' && current?.status !== 'active';
  return isNew ? Number(decided.revision) : undefined;
}
