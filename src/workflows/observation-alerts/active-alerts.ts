import type { Place, Row, Tables, WorkflowTable } from '../../workflow.js';

/**
 * Table `activealerts` lists the active alerts, so that a lookup need not read all withdrawn alerts.
 *
 * An alert's `revision` rises with each change of its status. The list holds the revision with which the alert became
 * active, or a later one. The handler lists an alert before the alert becomes active; the write keeps a later revision.
 * The handler removes an alert after its withdrawal, if the listed revision is older than the withdrawal. So each
 * active alert is always listed, whatever handlers run at once and wherever one dies. A listed alert may be withdrawn
 * or not exist, so readers of the list also read the alert.
 */
export function addToActiveList(tables: Tables, place: Place, revision: number): Promise<void> {
  return listRevision(tables('activealerts'), place, { revision });
}

/** Lists an alert with `entry`, unless the list has a later revision or this one. */
export async function listRevision(
  list: WorkflowTable,
  { partition, key }: Place,
  entry: Row & { readonly revision: number },
): Promise<void> {
  const decide = (current: Row | undefined) => (Number(current?.revision ?? 0) >= entry.revision ? 'keep' : entry);
  await list.change(partition, key, decide, entry.revision === 1 ? { expect: 'absent' } : {});
}

/** Removes the alert from the list. `revision` is the revision of the withdrawal. */
export async function removeFromActiveList(tables: Tables, { partition, key }: Place, revision: number): Promise<void> {
  await tables('activealerts').change(partition, key, (current) =>
    current !== undefined && Number(current.revision) < revision ? 'remove' : 'keep',
  );
}
