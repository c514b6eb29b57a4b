import type { Clock } from '../clock.js';
import { addDelivery, addRow } from '../dead-letters/add-row.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { addressOf } from '../storage/address.js';
import type { Ledger } from '../storage/ledger.js';
import type { Waiting } from '../storage/waiting.js';
import { type Workflow, wants } from '../workflow.js';
import type { KnownChanges } from './known-changes.js';

export type LedgerChangesDeps = {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly workflows: readonly Workflow[];
  /** `DEADLINE_SECONDS`: a job that may run for longer gets a row of the long kind. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** By storage's clock (T1). */
  readonly storageNow: () => Promise<Date>;
};

/** Returns the changes that the app's ledger knows. */
export function createLedgerChanges(deps: LedgerChangesDeps): KnownChanges {
  const { ledger, waiting, workflows, deadlineMs, clock, storageNow } = deps;
  const stores = { waiting, clock, storageNow };

  return {
    // THE ONE PLACE THAT THE LEDGER BY CHANGE REPLACES. An address begins with the digest of the event's id, which no
    // history names. Until the ledger can be asked by change, only jobs that reconciliation has brought in itself are
    // known. A job of the service's own event is not found: without --dry-run, its change is brought in once more.
    async isKnown(event, workflow) {
      const key = keyOf(event);
      const names = workflow === undefined ? namesOf(workflows.filter((one) => wants(one, event))) : [workflow];
      for (const name of names) {
        if (await ledger.read(addressOf(key, name))) return true;
      }
      return false;
    },

    async bringIn(event, workflow) {
      if (workflow === undefined) {
        await addDelivery(event, stores);
        return;
      }
      const address = addressOf(keyOf(parseEvent(event.raw)), workflow);
      const { timeoutMs = 0 } = workflows.find(({ name }) => name === workflow) ?? {};
      await addRow({ isLong: timeoutMs > deadlineMs, event: event.json, of: { kind: 'job', address } }, stores);
    },
  };
}

function namesOf(workflows: readonly Workflow[]): string[] {
  return workflows.map(({ name }) => name);
}
