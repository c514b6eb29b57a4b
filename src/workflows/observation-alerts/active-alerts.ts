import type { Row, WorkflowTable } from '../../workflow.js';
import type { Place } from './results.js';

/**
 * Table `activealerts` lists the active alerts, so that a look-up need not read all withdrawn alerts.
 *
 * An alert's `revision` rises with each change of its status. The list holds the revision with which the alert became
 * active, or a later one. The handler lists an alert before the alert becomes active; the write keeps a later revision.
 * The handler removes an alert after its withdrawal, if the listed revision is older than the withdrawal. So each
 * active alert is always listed, whatever handlers run at once and wherever one dies. A listed alert may be withdrawn
 * or not exist, so readers of the list also read the alert.
 */
type Tables = (name: string) => WorkflowTable;

/** Lists the alert as active from `revision` on. */
export async function addToActiveList(tables: Tables, { partition, key }: Place, revision: number): Promise<void> {
  const decide = (current: Row | undefined) => (Number(current?.revision ?? 0) >= revision ? 'keep' : { revision });
  await tables('activealerts').change(partition, key, decide, revision === 1 ? { expect: 'absent' } : {});
}

/** Removes the alert from the list. `revision` is the revision of the withdrawal. */
export async function removeFromActiveList(tables: Tables, { partition, key }: Place, revision: number): Promise<void> {
  await tables('activealerts').change(partition, key, (current) =>
    current !== undefined && Number(current.revision) < revision ? 'remove' : 'keep',
  );
}

/** Returns the revision with which the row becomes active; undefined if it was active or does not become active. */
export function becomesActive(current: Row | undefined, decided: Row | 'keep'): number | undefined {
  const isNew = decided !== 'keep' && decided.status === 'active' && current?.status !== 'active';
  return isNew ? Number(decided.revision) : undefined;
}
